import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CHART_HEIGHT, CHART_WIDTH, chartSvg } from '../../src/messages/chart.ts';
import { shareSteps } from '../../src/messages/chart-numbers.ts';
import { pngOf } from '../../src/messages/image.ts';
import { AT, HARMFUL, view } from './views.ts';

const series = Array.from({ length: 60 }, (_, n) => ({
  at: AT + n * 2000,
  ms: 2000,
  stage: n < 30 ? 1 : 2,
  percent: n < 30 ? 5 : 10,
  canary: { requests: n < 30 ? 10 : 20, failures: n > 50 ? 8 : 0 },
  stable: { requests: 180, failures: 0 },
}));

const NONE = { requests: 0, failures: 0 };

/** Width, height, and how many bytes of the decoded picture are neither white nor transparent. */
function lookAt(png: Uint8Array): { readonly width: number; readonly height: number; readonly ink: number } {
  const bytes = Buffer.from(png);
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const rows = inflateSync(Buffer.concat(parts));
  return { width, height, ink: rows.reduce((sum, byte) => sum + (byte !== 0 && byte !== 255 ? 1 : 0), 0) };
}

describe('the chart', () => {
  it('is a PNG of the announced size with something on it', () => {
    const { width, height, ink } = lookAt(pngOf(chartSvg(view('over'), series)));
    expect([width, height]).toEqual([CHART_WIDTH * 2, CHART_HEIGHT * 2]);
    expect(ink).toBeGreaterThan(20_000);
  });

  it('draws its text with its own font: the same picture without text has less on it', () => {
    const svg = chartSvg(view('over'), series);
    const mute = svg.replaceAll(/<text[^>]*>[^<]*<\/text>/g, '');
    expect(mute).not.toBe(svg);
    expect(lookAt(pngOf(svg)).ink).toBeGreaterThan(lookAt(pngOf(mute)).ink * 1.3);
  });

  it('names target and operation, both panels, and where it was decided', () => {
    const svg = chartSvg(view('over', { verdict: HARMFUL }), series);
    for (const words of [
      'demo/backend/backend',
      'op-brisk-otter-42',
      'Requests per second',
      'Failed requests of the canary',
      'harmful, rolled back',
    ]) {
      expect(svg).toContain(words);
    }
    expect(chartSvg(view('over'), series)).not.toContain('rolled back');
  });

  it('runs forward, whatever order the watches brought, with no line across a time that nobody watched', () => {
    const gap = series.map((point, n) => (n < 30 ? point : { ...point, at: point.at + 600_000 }));
    const drawn = (points: typeof gap): readonly string[] => chartSvg(view('over'), points).match(/ d="[^"]*"/g) ?? [];
    expect(drawn([...gap.slice(30), ...gap.slice(0, 30)])).toEqual(drawn(gap));
    expect(shareSteps(gap).filter(([, value]) => value === null)).toHaveLength(1);
  });

  it('draws no weight once everything is put back', () => {
    const { percent: _, ...point } = { ...series[59], stage: 2, ms: 2000, canary: NONE, stable: NONE };
    const restored = [...series, { ...point, at: AT + 120_000 }];
    const [last, ...before] = shareSteps(restored).toReversed();
    expect(last).toEqual([AT + 122_000, null]);
    expect(before.find(([, value]) => value !== null)).toEqual([AT + 120_000, 10]);
    expect(chartSvg(view('over'), restored)).not.toContain('NaN');
  });

  it("has the verb's own words", () => {
    const svg = chartSvg(view('over', { verb: 'policy' }), series);
    expect(svg).toContain('Dropped connections under the policy');
    expect(svg).not.toMatch(/canary|stable|[Rr]equests|weight of/);
  });

  it.each([[0], [1]])('is drawn of %i points too', (points) => {
    expect(lookAt(pngOf(chartSvg(view('over'), series.slice(0, points)))).ink).toBeGreaterThan(1000);
  });
});
