// Every pair of nodes, or of zones where there are too many, as a picture: rows send, columns receive.
import { type PairState, type Pairs, pairsOf, zonePairs } from '../domain/encryption/pairs.ts';
import type { Reading } from '../domain/encryption/reading.ts';
import { headOf } from '../domain/encryption/words.ts';
import { number } from '../domain/words/words.ts';

/** The picture is drawn so wide and high, and rendered at three times that. */
export const MATRIX_SIZE = 400;
export const MATRIX_ZOOM = 3;

const MOST_NAMES = 12;
const MOST_NODES = 20;
const INK = '#1D1C1D';
const QUIET = '#5C5C5C';
const FILLS: Readonly<Record<PairState, string>> = {
  encrypted: '#1B7F4B',
  plain: '#FFFFFF',
  broken: '#A30000',
  changing: '#F2E6C8',
  unknown: '#EEEEEE',
};
const NAMES: Readonly<Record<PairState, string>> = {
  encrypted: 'encrypted',
  plain: 'plain',
  broken: 'broken',
  changing: 'changing',
  unknown: 'not known',
};

interface Cell {
  readonly state: PairState;
  /** Written in the cell instead of its sign. */
  readonly text?: string;
}

interface Grid {
  readonly labels: readonly string[];
  readonly rows: readonly (readonly (Cell | undefined)[])[];
  readonly note: string;
}

/** An SVG of 400 x 400. Colour and sign say the same. */
export function matrixSvg(reading: Reading, pairs: Pairs = pairsOf(reading)): string {
  const grid = reading.nodes.length > MOST_NODES ? zoneGrid(reading, pairs) : nodeGrid(pairs);
  const count = Math.max(1, grid.labels.length);
  const longest = Math.max(2, ...grid.labels.map((label) => label.length));
  const left = Math.min(130, 14 + longest * 7.2);
  const top = 48 + Math.min(92, 10 + longest * 5.2);
  const cell = Math.min((MATRIX_SIZE - left - 10) / count, (MATRIX_SIZE - top - 46) / count);
  const parts: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${MATRIX_SIZE}" height="${MATRIX_SIZE}" font-family="DejaVu Sans" fill="${INK}">`,
    `<rect width="${MATRIX_SIZE}" height="${MATRIX_SIZE}" fill="#FFFFFF"/>`,
    text(10, 20, headOf(reading), { size: 13, bold: true, width: MATRIX_SIZE - 20 }),
    text(10, 36, grid.note, { size: 11, colour: QUIET, width: MATRIX_SIZE - 20 }),
  ];
  for (const [index, label] of grid.labels.entries()) {
    const middle = index * cell + cell / 2;
    parts.push(text(left - 6, top + middle + 4.5, label, { anchor: 'end', size: 13, width: left - 10 }));
    parts.push(
      `<g transform="translate(${left + middle - 2} ${top - 6}) rotate(-45)">${text(0, 0, label, { size: 13, width: (top - 48) / 0.75 })}</g>`,
    );
  }
  for (const [row, cells] of grid.rows.entries()) {
    for (const [column, one] of cells.entries()) {
      if (one) parts.push(cellSvg(left + column * cell, top + row * cell, cell, one));
    }
  }
  parts.push(legend(), '</svg>');
  return parts.join('');
}

/** What the picture shows, for those who do not see it. */
export function matrixAlt(reading: Reading, { counts }: Pairs): string {
  const said = (Object.keys(NAMES) as PairState[])
    .filter((state) => counts[state] > 0)
    .map((state) => `${number(counts[state])} ${NAMES[state]}`);
  return `${headOf(reading)}. Pairs of nodes: ${said.length === 0 ? 'none' : said.join(', ')}.`;
}

function nodeGrid({ nodes, rows }: Pairs): Grid {
  const numbered = nodes.length > MOST_NAMES;
  return {
    labels: numbered ? nodes.map((_, index) => String(index + 1)) : nodes.map(shortened),
    rows: rows.map((states) => states.map((state) => (state === undefined ? undefined : { state }))),
    note: numbered ? 'Rows send, columns receive; nodes by number, in the order of the file.' : 'Rows send, columns receive.',
  };
}

/** One cell for all pairs of two zones: how many of them are encrypted; the worst state gives the colour. */
function zoneGrid(reading: Reading, pairs: Pairs): Grid {
  const cells = zonePairs(reading, pairs);
  const zones = [...new Set(cells.flatMap(({ from, to }) => [from, to]))].toSorted().slice(0, MOST_NAMES);
  const worst: readonly PairState[] = ['broken', 'unknown', 'changing', 'plain', 'encrypted'];
  return {
    labels: zones.map(shortened),
    rows: zones.map((from) =>
      zones.map((to) => {
        const cell = cells.find((one) => one.from === from && one.to === to);
        if (!cell) return undefined;
        const state = worst.find((one) => cell.counts[one] > 0) ?? 'unknown';
        return { state, text: `${number(cell.counts.encrypted)}/${number(cell.of)}` };
      }),
    ),
    note: 'Rows send, columns receive: encrypted pairs of all, by zone. Colour: the worst pair.',
  };
}

function shortened(name: string): string {
  return name.length <= 15 ? name : `${name.slice(0, 7)}…${name.slice(-7)}`;
}

function cellSvg(x: number, y: number, size: number, { state, text: words }: Cell): string {
  const inner = size - 1;
  const box = `<rect x="${f(x)}" y="${f(y)}" width="${f(inner)}" height="${f(inner)}" fill="${FILLS[state]}" stroke="#B8B8B8" stroke-width="0.5"/>`;
  const [cx, cy, r] = [x + inner / 2, y + inner / 2, Math.min(inner * 0.26, 7)];
  if (words === undefined) return box + sign(state, cx, cy, r);
  const colour = state === 'encrypted' || state === 'broken' ? '#FFFFFF' : INK;
  return box + text(cx, cy + 4.5, words, { anchor: 'middle', size: 12, width: inner - 4, colour });
}

function sign(state: PairState, cx: number, cy: number, r: number): string {
  switch (state) {
    case 'encrypted':
      return `<circle cx="${f(cx)}" cy="${f(cy)}" r="${f(r)}" fill="#FFFFFF"/>`;
    case 'plain':
      return `<circle cx="${f(cx)}" cy="${f(cy)}" r="${f(r)}" fill="none" stroke="${INK}" stroke-width="1.2"/>`;
    case 'broken':
      return `<path d="M${f(cx - r)} ${f(cy - r)}L${f(cx + r)} ${f(cy + r)}M${f(cx + r)} ${f(cy - r)}L${f(cx - r)} ${f(cy + r)}" stroke="#FFFFFF" stroke-width="2"/>`;
    case 'changing':
      return `<circle cx="${f(cx)}" cy="${f(cy)}" r="${f(r)}" fill="none" stroke="${INK}" stroke-width="1.2"/><path d="M${f(cx)} ${f(cy - r)}A${f(r)} ${f(r)} 0 0 0 ${f(cx)} ${f(cy + r)}Z" fill="${INK}"/>`;
    case 'unknown':
      return `<circle cx="${f(cx)}" cy="${f(cy)}" r="1.6" fill="${INK}"/>`;
    default:
      return state satisfies never;
  }
}

function legend(): string {
  let x = 10;
  return (Object.keys(NAMES) as PairState[])
    .map((state) => {
      const at = x;
      x += 30 + NAMES[state].length * 6.6;
      return cellSvg(at, MATRIX_SIZE - 24, 15, { state }) + text(at + 19, MATRIX_SIZE - 12, NAMES[state], { size: 11 });
    })
    .join('');
}

interface TextStyle {
  readonly size: number;
  readonly anchor?: 'end' | 'middle';
  readonly bold?: boolean;
  readonly colour?: string;
  /** Squeezed where it would be wider. */
  readonly width?: number;
}

function text(x: number, y: number, words: string, { size, anchor, bold, colour, width }: TextStyle): string {
  // About 0.62 of the size for each letter of DejaVu Sans.
  const wide = width !== undefined && words.length * size * 0.64 > width;
  const attributes = [
    `x="${f(x)}" y="${f(y)}" font-size="${wide ? f(Math.max(7, width / (words.length * 0.64))) : size}"`,
    ...(anchor ? [`text-anchor="${anchor}"`] : []),
    ...(bold ? ['font-weight="bold"'] : []),
    ...(colour ? [`fill="${colour}"`] : []),
  ];
  return `<text ${attributes.join(' ')}>${escaped(words)}</text>`;
}

function f(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Names of nodes and zones are foreign text. */
function escaped(words: string): string {
  return words
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
