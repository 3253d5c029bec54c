// Who is who at a glance: a coloured square with initials, and a badge for what kind of account it is.
import { h, svg } from './dom.js';
import { store } from './store.js';

const hues = [212, 262, 28, 340, 96, 190];

export function nameOf(id) {
  if (id === 'USLACKBOT') return 'Slack';
  return store.users.get(id)?.real_name ?? id;
}

export function badgeOf(id) {
  const user = store.users.get(id);
  if (id === 'USLACKBOT') return 'system';
  if (user?.is_bot) return 'app';
  if (user?.deleted) return 'deactivated';
  if (user?.is_stranger) return 'other organisation';
  return user?.is_restricted || user?.is_ultra_restricted ? 'guest' : undefined;
}

export function avatar(id) {
  if (store.users.get(id)?.is_bot) {
    const lines = svg('path', { d: 'M7 8l11 4M7 8l3 11M18 12l-8 7' });
    const dots = [
      [7, 8],
      [18, 12],
      [10, 19],
    ].map(([cx, cy]) => svg('circle', { cx, cy, r: 2.6 }));
    return h('span', { class: 'avatar bot', 'aria-hidden': 'true' }, svg('svg', { viewBox: '0 0 26 26' }, lines, dots));
  }
  const words = nameOf(id).split(/[\s-]+/);
  const letters = words.length > 1 ? words[0][0] + words[1][0] : words[0].slice(0, 2);
  const place = [...store.users.keys()].indexOf(id);
  const style = { '--hue': String(hues[Math.max(0, place) % hues.length]) };
  return h('span', { class: `avatar ${id === 'USLACKBOT' ? 'system' : ''}`, style, 'aria-hidden': 'true' }, letters.toUpperCase());
}
