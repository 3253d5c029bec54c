/**
 * Characters that nobody sees: they hide in what is copied, turn the direction in which a text is read, or (NUL) cannot be stored. Line breaks and tabs
 * are seen.
 */
const UNSEEN =
  /[^\P{Cc}\t\n\r]|[\u00AD\u061C\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

export function withoutUnseen(text: string): string {
  return text.replaceAll(UNSEEN, '');
}

/**
 * Escapes what Slack reads as markup in any text: `&`, `<`, `>` (Slack, "Formatting text for app surfaces"). `<!channel>`, `<@U…>`
 * and `<url|text>` are text afterwards. What nobody sees is left out. Enough inside code; elsewhere see `inertMrkdwn`.
 */
export function escapeMrkdwn(text: string): string {
  return withoutUnseen(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What formats a text, and what looks like it and does not. */
const LOOK_ALIKE: Readonly<Record<string, string>> = { '*': '∗', '~': '∼', _: 'ˍ', '`': "'" };

/**
 * Foreign words outside of code: escaped, and without effect where Slack reads more than angle brackets. `*`, `_`, `~` and backticks
 * lose their meaning, so that an argument cannot dress up as a sentence of ours; characters that nobody sees would do that as well, but stay in what
 * is copied. Bare addresses and `@here` stay as they are: blocks are sent with `verbatim`, which makes no links and no mentions of them.
 */
export function inertMrkdwn(text: string): string {
  return escapeMrkdwn(text).replace(/[*~`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (sign) => LOOK_ALIKE[sign] ?? sign);
}
