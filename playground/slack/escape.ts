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
  const named = (id: string, name: string): string => (withNames ? `${id}|${name}` : id);
  return escapeText(text)
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
