import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { judgeReplay } from '../../../src/cli/judge-replay.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { readBegin, readEvent, writeBegin, writeEvent } from '../../../src/domain/judge/record.ts';
import { Replay } from '../../../src/domain/judge/replay.ts';
import { randomFrom, request, START, settings } from './traffic.ts';

/** A watch with everything in it: both sides, retries, drops, a gap, ticks; the canary turns bad after 20 s. */
function* watch(seed: number): Generator<Evidence> {
  const random = randomFrom(seed);
  for (let ms = 0; ms < 60_000; ms += 15) {
    const at = START + ms;
    const side = random() < 0.1 ? 'canary' : 'stable';
    const failed = random() < (side === 'canary' && ms > 20_000 ? 0.12 : 0.002);
    yield { ...request(at, failed, side), ...(random() < 0.3 && { client: `client-${ms % 7}`, path: '/' }) };
    if (ms % 250 === 0) yield { kind: 'tick', at };
    if (ms === 9_000) yield { kind: 'gap', at, node: 'node-1', reason: 'stream ended' };
    if (ms === 9_600) yield { kind: 'sight', at, node: 'node-1' };
    if (random() < 0.001) {
      yield { kind: 'drop', at, seenAt: at, side, source: 'a', destination: 'b', port: 1, reason: 'CT', id: String(ms), peer: 'a' };
    }
  }
}

const over = { exposure: 0.1, alpha: 0.0006, durationMs: 60_000, lateMs: 200, budget: 50 };

it('gives the same verdict at the same event as live, however often the live judge moved to another worker', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = randomFrom(seed);
    const lines = [writeBegin(settings(over))];
    let live = createJudge(settings(over));
    let said: unknown;
    for (const event of watch(seed)) {
      lines.push(writeEvent(event));
      if (random() < 0.02) live = createJudge(settings(over), JSON.parse(JSON.stringify(live.snapshot())) as JsonObject);
      said = live.hear(event);
      if (said !== undefined) break;
    }
    const [first = '', ...rest] = lines;
    const read = readBegin(first);
    if (!read.ok) throw new Error(read.words);
    const replay = new Replay(read.value);
    const steps = rest.map((line) => {
      const event = readEvent(line);
      if (!event.ok) throw new Error(event.words);
      return replay.hear(event.value);
    });
    expect(steps.at(-1)?.verdict).toEqual(said);
    expect(steps.slice(0, -1).every((step) => step?.verdict === undefined)).toBe(true);
    expect(said).toMatchObject({ kind: 'harmful' });
    expect(replay.conclude()).toEqual(said);
  }
});

async function told(text: string, options: { readonly json?: boolean; readonly all?: boolean } = {}) {
  const file = join(mkdtempSync(join(tmpdir(), 'replay-')), 'events.jsonl');
  writeFileSync(file, text);
  const lines: string[] = [];
  const { signal } = new AbortController();
  const code = await judgeReplay({ file, json: false, all: false, ...options, signal, print: (line) => lines.push(line) });
  rmSync(join(file, '..'), { recursive: true });
  return { code, lines };
}

it('prints each step with the evidence and what it must reach, and the same as JSON', async () => {
  const text = [writeBegin(settings(over)), ...[...watch(3)].map(writeEvent)].join('\n');
  const { code, lines } = await told(text);
  expect(code).toBe(0);
  expect(lines[0]).toContain('objective 1%');
  expect(lines.some((line) => /canary failed \(500\).*objective .* to 1 of 4,800/.test(line))).toBe(true);
  expect(lines.some((line) => /=> harmful: /.test(line))).toBe(true);
  expect(lines.at(-1)).toMatch(/^At the end: harmful/);
  const json = await told(text, { json: true });
  const last = JSON.parse(json.lines.at(-1) ?? '') as { conclusion: { kind: string }; unheard: number };
  expect(last.conclusion.kind).toBe('harmful');
  expect(json.lines.length - 1 + last.unheard).toBe([...watch(3)].length);
});

it('names the line that is no event, and the file that is no record', async () => {
  expect(await told(`${writeBegin(settings())}\n{"kind":"request"}\n`)).toMatchObject({
    code: 2,
    lines: [expect.anything(), expect.anything(), expect.stringMatching(/:2: this is no event \(at: /)],
  });
  expect((await told('{"kind":"tick","at":1}')).lines.join()).toContain('holds no settings');
  expect((await told('')).code).toBe(2);
});

it('hears the record of an earlier judge, and says that it is one', async () => {
  const { lateMs: _, ...earlier } = { ...settings(over), drops: {} };
  const begin = JSON.stringify({ settings: earlier, resumed: { version: 1, canary: { requests: 9, failures: 0 } } });
  const { code, lines } = await told([begin, ...[...watch(3)].map(writeEvent)].join('\n'));
  expect(code).toBe(0);
  expect(lines[1]).toMatch(/^This is a record of an earlier judge\. /);
  expect(lines[2]).toMatch(/cannot be used\.$/);
  expect(lines.at(-1)).toMatch(/^At the end: harmful/);
  expect((await told([writeBegin(settings(over)), ...[...watch(3)].map(writeEvent)].join('\n'))).lines.join()).not.toContain(
    'earlier judge',
  );
});
