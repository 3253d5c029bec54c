// Slack's escaping of what people type (docs.slack.dev/messaging/formatting-message-text).
import type { Directory } from './directory.ts';

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * The text as the app receives it. With `shouldEscape`, & < > are escaped and @people, @groups and #channels become ids;
 * without it the text arrives as typed. `withNames` adds `|name`, which commands have and messages have not.
 */
export function escapeCommandText(directory: Directory, text: string, shouldEscape: boolean, withNames = true): string {
  if (!shouldEscape) return text;
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') && part.length > 1 ? escapeText(part) : escapeProse(directory, part, withNames)))
    .join('');
}

/** Top-level domains that a bare name needs to become a link; the real list is long, and these are the ones that people type. */
const BARE =
  /(^|[\s(])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|io|dev|app|co|example)(?::\d+)?(?:\/[^\s<>|)]*)?)(?=$|[\s),.;!?])/gi;

/** Links and addresses as Slack writes them: `<https://a.example>`, `<http://a.example|a.example>`, `<mailto:b@a.example|b@a.example>`. */
function links(text: string): string {
  return text
    .replace(/(^|[\s("'=])([\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi, '$1<mailto:$2|$2>')
    .replace(/(^|[\s("'=])(https?:\/\/[^\s<>|"')]+)/gi, '$1<$2>')
    .replace(BARE, '$1<http://$2|$2>');
}

function escapeProse(directory: Directory, text: string, withNames: boolean): string {
  const named = (id: string, name: string): string => (withNames ? `${id}|${name}` : id);
  return links(escapeText(text))
    .replace(/(^|\s)@([\w.-]+)/g, (whole, before: string, name: string) => {
      const user = directory.users().find((one) => one.name === name && !one.deleted);
      if (user) return `${before}<@${named(user.id, user.name)}>`;
      const group = directory.usergroups().find((one) => one.handle === name);
      return group ? `${before}<!subteam^${named(group.id, `@${group.handle}`)}>` : whole;
    })
    .replace(/(^|\s)#([\w.-]+)/g, (whole, before: string, name: string) => {
      const channel = directory.channels().find((one) => one.name === name && one.im === undefined);
      return channel ? `${before}<#${named(channel.id, channel.name)}>` : whole;
    });
}
