/**
 * Makes a foreign text harmless in Slack's mrkdwn: `&`, `<` and `>` are its only control characters
 * (docs.slack.dev, "Formatting message text"), so an escaped text cannot mention, link or call `<!channel>`.
 */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
