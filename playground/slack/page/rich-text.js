// The rich_text block.
import { h, safeUrl } from './dom.js';
import { emoji } from './emoji.js';
import { channelMention, formatDate, groupMention, mention } from './mrkdwn.js';

function styled(node, style = {}) {
  const wraps = [
    ['bold', 'b'],
    ['italic', 'i'],
    ['strike', 's'],
    ['underline', 'u'],
    ['highlight', 'mark'],
    ['code', 'code'],
  ];
  return wraps.reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), node);
}

function inline(element) {
  const table = {
    text: () => element.text,
    link: () => h('a', { href: safeUrl(element.url), target: '_blank', rel: 'noreferrer' }, element.text ?? element.url),
    emoji: () => emoji(element.name) ?? `:${element.name}:`,
    user: () => mention(element.user_id),
    usergroup: () => groupMention(element.usergroup_id),
    channel: () => channelMention(element.channel_id),
    broadcast: () => h('span', { class: 'mention broadcast' }, `@${element.range}`),
    date: () => h('time', {}, formatDate(element.timestamp, element.format)),
    color: () => element.value,
    team: () => element.team_id,
  };
  return styled(table[element.type]?.() ?? '', element.style);
}

function part(element) {
  const inner = () => element.elements.map(inline);
  if (element.type === 'rich_text_quote') return h('blockquote', { class: 'pre-line' }, inner());
  if (element.type === 'rich_text_preformatted') return h('pre', {}, h('code', {}, inner()));
  if (element.type === 'rich_text_list') {
    const items = element.elements.map((item) => h('li', {}, item.elements.map(inline)));
    return h(
      element.style === 'ordered' ? 'ol' : 'ul',
      { class: `indent-${element.indent ?? 0}`, start: element.offset ? element.offset + 1 : undefined },
      items,
    );
  }
  return h('div', { class: 'pre-line' }, inner());
}

export function richText(block) {
  return h('div', { class: 'rich-text' }, block.elements.map(part));
}
