// The rich_text block and its parts.
import { among, anything, type Check, flag, list, number, object, string, typed } from './checks.ts';

const style = object(
  {},
  { bold: flag, italic: flag, strike: flag, code: flag, underline: flag, highlight: flag, client_highlight: flag, unlink: flag },
);
const styled = { style };

const inline = typed({
  text: object({ text: string(40_000, 1) }, styled),
  link: object({ url: string(3000, 1) }, { ...styled, text: string(40_000), unsafe: flag }),
  emoji: object({ name: string(100, 1) }, { ...styled, unicode: string(100), url: string(3000), skin_tone: number(1, 6) }),
  user: object({ user_id: string(255, 1) }, styled),
  usergroup: object({ usergroup_id: string(255, 1) }, styled),
  channel: object({ channel_id: string(255, 1) }, styled),
  team: object({ team_id: string(255, 1) }, styled),
  broadcast: object({ range: among('here', 'channel', 'everyone') }, styled),
  date: object({ timestamp: number(0, 99_999_999_999), format: string(300, 1) }, { ...styled, url: string(3000), fallback: string(300) }),
  color: object({ value: string(10, 1) }, styled),
});

const inlines = list(inline, 0, 1000);
const section = object({ elements: inlines });
const parts = typed({
  rich_text_section: section,
  rich_text_list: object(
    { style: among('bullet', 'ordered'), elements: list(typed({ rich_text_section: section }), 0, 1000) },
    { indent: number(0, 8), offset: number(0, 10_000), border: number(0, 1) },
  ),
  rich_text_quote: object({ elements: inlines }, { border: number(0, 1) }),
  rich_text_preformatted: object({ elements: inlines }, { border: number(0, 1), language: anything }),
});

export const richText: Check = object({ elements: list(parts, 1, 1000) }, { block_id: string(255, 1) });

/** A cell of a table. */
export const rawCell = typed({
  raw_text: object({ text: string(3000) }),
  raw_number: object({ value: number(-1e15, 1e15) }, { text: string(100) }),
  rich_text: richText,
});
