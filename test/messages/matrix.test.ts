import { expect, test } from 'vitest';
import { pairsOf } from '../../src/domain/encryption/pairs.ts';
import { readEncryption } from '../../src/domain/encryption/reading.ts';
import { pngOf } from '../../src/messages/image.ts';
import { MATRIX_SIZE, MATRIX_ZOOM, matrixAlt, matrixSvg } from '../../src/messages/matrix.ts';
import { cluster, encrypted, HOUR, NOW, node, ON, ON_TUNNEL } from '../domain/encryption/clusters.ts';

function readingOf(count: number, config: Readonly<Record<string, string>> = ON, zones = 3) {
  return readEncryption(
    cluster(
      Array.from({ length: count }, (_, index) =>
        (index % 4 === 3 ? node : encrypted)(`node-${index + 1}`, { labels: { 'topology.kubernetes.io/zone': `zone-${index % zones}` } }),
      ),
      { config, changedAt: NOW - 2 * HOUR },
    ),
  );
}
const textsOf = (svg: string): readonly string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, words = '']) => words);

test('up to 12 nodes are named, up to 20 numbered; each pair is one cell', () => {
  expect(textsOf(matrixSvg(readingOf(12))).filter((words) => words === 'node-12')).toHaveLength(2);
  const numbered = textsOf(matrixSvg(readingOf(13)));
  expect(numbered.filter((words) => words === '13')).toHaveLength(2);
  expect(numbered).not.toContain('node-13');
  // The legend has five cells of its own, the background is one more.
  expect(matrixSvg(readingOf(12)).match(/<rect/g)).toHaveLength(12 * 11 + 6);
});

test('more nodes are zones, with counts; one broken pair gives the colour', () => {
  const svg = matrixSvg(readingOf(40, ON_TUNNEL));
  expect(textsOf(svg)).toContain('zone-0');
  expect(textsOf(svg).filter((words) => /^\d+\/\d+$/.test(words))).toHaveLength(9);
  expect(svg.match(/fill="#A30000"/g)?.length).toBeGreaterThan(9);
});

test('it renders as a square picture, names escaped', () => {
  const odd = readEncryption(cluster([node('<b>&"'), node('c')]));
  const png = pngOf(matrixSvg(odd), MATRIX_ZOOM);
  const view = new DataView(png.buffer);
  expect([view.getUint32(16), view.getUint32(20)]).toEqual([MATRIX_SIZE * MATRIX_ZOOM, MATRIX_SIZE * MATRIX_ZOOM]);
  expect(matrixSvg(odd)).not.toContain('<b>');
});

test('who does not see it is told the same counts', () => {
  const reading = readingOf(4);
  expect(matrixAlt(reading, pairsOf(reading))).toBe('Encryption demo: WireGuard on 3 of 4 nodes. Pairs of nodes: 6 encrypted, 6 plain.');
});
