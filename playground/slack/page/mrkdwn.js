// Slack's mrkdwn as elements: bold, italics, strike, code, quotes, links, mentions, dates and emoji.
import { h, safeUrl } from './dom.js';
import { emoji } from './emoji.js';
import { store } from './store.js';

export const decode = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

export function mention(id, fallback) {
  const user = store.users.get(id);
  return h('span', { class: id === store.me ? 'mention me' : 'mention' }, `@${user?.real_name ?? fallback ?? id}`);
}

export function channelMention(id, fallback) {
  return h('span', { class: 'mention' }, `#${store.channels.find((channel) => channel.id === id)?.name ?? fallback ?? id}`);
}

export function groupMention(id, fallback) {
  return h('span', { class: 'mention' }, `@${store.usergroups.get(id)?.handle ?? fallback ?? id}`);
}

/** @type {readonly [string, number][]} */
const days = [
  ['today', 0],
  ['yesterday', -1],
  ['tomorrow', 1],
];

/** {date_short_pretty} and its like, in the reader's own time zone. */
export function formatDate(seconds, format) {
  const date = new Date(Number(seconds) * 1000);
  const near = days.find(([, offset]) => new Date(Date.now() + offset * 86_400_000).toDateString() === date.toDateString())?.[0];
  const day = (options) => date.toLocaleDateString(undefined, options);
  const table = {
    date: () => day({ dateStyle: 'long' }),
    date_num: () => day({ dateStyle: 'short' }),
    date_short: () => day({ dateStyle: 'medium' }),
    date_long: () => day({ dateStyle: 'full' }),
    date_pretty: () => near ?? day({ dateStyle: 'long' }),
    date_short_pretty: () => near ?? day({ dateStyle: 'medium' }),
    date_long_pretty: () => near ?? day({ dateStyle: 'full' }),
    time: () => date.toLocaleTimeString(undefined, { timeStyle: 'short' }),
    time_secs: () => date.toLocaleTimeString(undefined, { timeStyle: 'medium' }),
    ago: () => `${Math.max(0, Math.round((Date.now() - date.getTime()) / 60_000))} minutes ago`,
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => table[name]?.() ?? whole);
}

function special(inner) {
  const [target, label] = inner.split('|');
  const [kind, rest] = [target[0], target.slice(1)];
  if (kind === '@') return mention(rest, label);
  if (kind === '#') return channelMention(rest, label);
  if (kind === '!') {
    const [name, ...parts] = rest.split('^');
    if (name === 'date')
      return h('time', { datetime: new Date(Number(parts[0]) * 1000).toISOString() }, formatDate(parts[0], parts[1] ?? ''));
    if (name === 'subteam') return groupMention(parts[0], label);
    return h('span', { class: 'mention broadcast' }, `@${name}`);
  }
  const url = safeUrl(decode(target));
  return url ? h('a', { href: url, target: '_blank', rel: 'noreferrer' }, decode(label ?? target)) : decode(label ?? target);
}

const pattern =
  /`([^`\n]+)`|<([^<>\n]+)>|:([\w+-]+):|(?<![\w*])\*(?=\S)([^*\n]+?)\*(?![\w*])|(?<!\w)_(?=\S)([^_\n]+?)_(?!\w)|(?<!\w)~(?=\S)([^~\n]+?)~(?!\w)/;

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let found = pattern.exec(rest); found; found = pattern.exec(rest)) {
    nodes.push(decode(rest.slice(0, found.index)));
    const [whole, code, angle, name, bold, italic, strike] = found;
    if (code !== undefined) nodes.push(h('code', {}, decode(code)));
    else if (angle !== undefined) nodes.push(special(angle));
    else if (name !== undefined)
      nodes.push(emoji(name) ? h('span', { class: 'emoji', role: 'img', 'aria-label': name.replaceAll('_', ' ') }, emoji(name)) : whole);
    else if (bold !== undefined) nodes.push(h('b', {}, inline(bold)));
    else if (italic !== undefined) nodes.push(h('i', {}, inline(italic)));
    else nodes.push(h('s', {}, inline(strike)));
    rest = rest.slice(found.index + whole.length);
  }
  nodes.push(decode(rest));
  return nodes.filter((node) => node !== '');
}

function lines(text) {
  const nodes = [];
  let quote;
  for (const [index, line] of text.split('\n').entries()) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      quote ??= nodes[nodes.push(h('blockquote')) - 1];
      if (quote.childNodes.length > 0) quote.append(h('br'));
      quote.append(...inline(quoted[1]));
      continue;
    }
    if (index > 0 && !quote) nodes.push(h('br'));
    quote = undefined;
    nodes.push(...inline(line));
  }
  return nodes;
}

/** Elements for a mrkdwn text. */
export function mrkdwn(text) {
  return text
    .split('```')
    .flatMap((part, index) => (index % 2 === 1 ? [h('pre', {}, h('code', {}, decode(part.replace(/^\n|\n$/g, ''))))] : lines(part)));
}

/** A text object of either kind. */
export function textObject(object) {
  if (!object) return [];
  if (object.type === 'mrkdwn') return mrkdwn(object.text);
  return object.text.split(/(:[\w+-]+:)/).map((part) => emoji(part.slice(1, -1)) ?? part);
}
