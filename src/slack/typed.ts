// From what Slack makes of a text back to what was typed (docs.slack.dev/messaging/formatting-message-text).

import { withoutUnseen } from '../domain/words/mrkdwn.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };
/**
 * Links, mentions and dates in angle brackets, and the three entities. Brackets that were typed arrive as entities. `<!channel>` and its
 * kind stay: shown, they are escaped, and nobody is called.
 */
const MARKUP = /<(@|#|!subteam\^|!date\^|mailto:|tel:|https?:\/\/|ftp:\/\/)([^<>|]*)(?:\|([^<>]*))?>|&(?:amp|lt|gt);/g;
/** More names than this in one command are not looked up. */
const MOST_NAMES = 5;

/** `nameOf` gives the name for an id of Slack, where it comes without one; undefined: the id is shown. */
export async function typed(text: string, nameOf: (userId: string) => Promise<string | undefined>): Promise<string> {
  const bare = [...text.matchAll(/<@([UW][A-Z0-9]+)>/g)].flatMap(([, id]) => (id === undefined ? [] : [id]));
  const ids = [...new Set(bare)].slice(0, MOST_NAMES);
  const names = new Map(await Promise.all(ids.map(async (id) => [id, await nameOf(id)] as const)));
  const readable = text.replaceAll(MARKUP, (whole, sign: string | undefined, rest = '', label: string | undefined) => {
    if (sign === undefined) return ENTITIES[whole] ?? whole;
    return plain(
      sign === '@' || sign === '#' || sign.startsWith('!') ? reference(sign, rest, label, names) : (label ?? `${scheme(sign)}${rest}`),
    );
  });
  return withoutUnseen(readable);
}

const scheme = (sign: string): string => (sign === 'mailto:' || sign === 'tel:' ? '' : sign);

function reference(sign: string, id: string, label: string | undefined, names: ReadonlyMap<string, string | undefined>): string {
  if (sign === '#') return `#${label || id}`;
  if (sign === '@') return `@${(label || names.get(id)) ?? id}`;
  // <!date^…|what others read>, <!subteam^S…|@group>.
  return label || `@${id}`;
}

function plain(text: string): string {
  return text.replaceAll(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity] ?? entity);
}
