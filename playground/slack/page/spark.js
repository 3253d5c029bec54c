// A small chart of the last minute: requests per second as an area, errors in red.
import { svg } from './dom.js';

const [width, height] = [260, 56];
const spanMs = 60_000;

function points(history, value, top, now) {
  return history
    .filter((point) => now - point.at <= spanMs)
    .map((point) => [width - ((now - point.at) / spanMs) * width, height - 2 - (value(point) / top) * (height - 6)]);
}

const line = (list) => list.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

export function spark(history, label) {
  const now = history.at(-1)?.at ?? Date.now();
  const top = Math.max(1, ...history.map((point) => point.requests));
  const requests = points(history, (point) => point.requests, top, now);
  const errors = points(history, (point) => point.errors, top, now);
  const failing = history.some((point) => point.errors > 0);
  const area = (list) =>
    list.length > 1 ? `${line(list)}L${list.at(-1)[0].toFixed(1)} ${height}L${list[0][0].toFixed(1)} ${height}Z` : '';
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, class: 'spark', role: 'img', 'aria-label': label, preserveAspectRatio: 'none' },
    svg('path', { class: 'requests', d: area(requests) }),
    svg('path', { class: 'requests-line', d: line(requests) }),
    failing && svg('path', { class: 'errors', d: area(errors) }),
    failing && svg('path', { class: 'errors-line', d: line(errors) }),
  );
}
