/**
 * Escapes what Slack reads as markup in any text: `&`, `<`, `>` (Slack, "Formatting text for app surfaces"). `<!channel>`, `<@U…>`
 * and `<url|text>` are text afterwards. Enough inside code; elsewhere see `inertMrkdwn`.
 */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Joins without showing: breaks a pattern for Slack and leaves it the same for a reader. */
const WORD_JOINER = '\u2060';

/**
 * Foreign words outside of code: escaped, and without effect where Slack reads more than angle brackets. Bare addresses become
 * links and `@here` a mention where a client parses names, so both are broken by a character nobody sees; `*`, `_`, `~` and
 * backticks lose their meaning, so that an argument cannot dress up as a sentence of ours. The address of a person stays as it is, so that
 * it can be copied: blocks are sent with `verbatim`, which makes no links of it.
 */
export function inertMrkdwn(text: string): string {
  return escapeMrkdwn(text)
    .replaceAll('://', `:${WORD_JOINER}//`)
    .replace(/(mailto|tel):/gi, `$1${WORD_JOINER}:`)
    .replace(/\b(www)\./gi, `$1${WORD_JOINER}.`)
    .replace(/(?<![\p{L}\p{N}._+-])[@#](?=\p{L})/gu, (sign) => `${sign}${WORD_JOINER}`)
    .replaceAll('`', "'")
    .replace(/[*~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (sign) => `${WORD_JOINER}${sign}${WORD_JOINER}`);
}
