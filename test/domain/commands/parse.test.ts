import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/domain/commands/parse.ts';
import { VERBS } from '../../../src/domain/commands/verbs.ts';

const mesh = (text: string) => parseCommand(text, { root: 'mesh' });
function words(text: string) {
  const answer = mesh(text);
  return answer.kind === 'misunderstood' ? answer.words : `understood as ${JSON.stringify(answer)}`;
}
function meant(text: string) {
  const answer = mesh(text);
  return answer.kind === 'misunderstood' ? answer.didYouMean : `understood as ${JSON.stringify(answer)}`;
}

describe('parseCommand understands', () => {
  it.each([
    ['canary backend 10%', { service: { name: 'backend' }, percent: 10, options: {} }],
    ['Canary shop/backend 0.1%', { service: { namespace: 'shop', name: 'backend' }, percent: 0.1, options: {} }],
    ['canary demo/shop/backend 100', { service: { cluster: 'demo', namespace: 'shop', name: 'backend' }, percent: 100, options: {} }],
    ['canary 10% backend', { service: { name: 'backend' }, percent: 10, options: {} }],
    ['canary backend 12.5 %', { service: { name: 'backend' }, percent: 12.5, options: {} }],
    ['canary backend 0', { service: { name: 'backend' }, percent: 0, options: {} }],
    ['canary backend 50% --steps 5,10,25', { service: { name: 'backend' }, percent: 50, options: { steps: [5, 10, 25] } }],
    ['canary backend 50% --steps 5, 10, 25', { service: { name: 'backend' }, percent: 50, options: { steps: [5, 10, 25] } }],
    ['canary --soak=2m backend 5%', { service: { name: 'backend' }, percent: 5, options: { soakMs: 120_000 } }],
    [
      'canary backend 5% --slo 1% --latency 500ms',
      { service: { name: 'backend' }, percent: 5, options: { objective: 0.01, latencyMs: 500 } },
    ],
    [
      'canary backend 5% --slo Relative --budget 20 --probe 5/s',
      { service: { name: 'backend' }, percent: 5, options: { slo: 'relative', budget: 20, probesPerSecond: 5 } },
    ],
    [
      'canary backend 5% —soak 30s –reason “it’s time”',
      { service: { name: 'backend' }, percent: 5, options: { soakMs: 30_000, reason: 'it’s time' } },
    ],
    ['canary backend 5% --reason="new — cache"', { service: { name: 'backend' }, percent: 5, options: { reason: 'new — cache' } }],
    ['canary back–end 5%', { service: { name: 'back-end' }, percent: 5, options: {} }],
  ])('%s', (text, rest) => {
    expect(mesh(text)).toEqual({ kind: 'canary', ...rest });
  });

  it.each([
    ['', { kind: 'help' }],
    ['  \n ', { kind: 'help' }],
    ['help canary', { kind: 'help', topic: 'canary' }],
    ['canary --help', { kind: 'help', topic: 'canary' }],
    ['policy', { kind: 'help', topic: 'policy' }],
    ['help policy', { kind: 'help', topic: 'policy' }],
    ['help policy enforce', { kind: 'help', topic: 'policy enforce' }],
    ['status', { kind: 'status' }],
    ['status a/b', { kind: 'status', service: { namespace: 'a', name: 'b' } }],
    ['promote backend', { kind: 'promote', service: { name: 'backend' }, options: {} }],
    ['rollback backend --reason "too slow"', { kind: 'rollback', service: { name: 'backend' }, options: { reason: 'too slow' } }],
    ["abort backend it's --steps broken", { kind: 'abort', operation: 'backend', reason: "it's --steps broken" }],
    ['abort c-7f3k', { kind: 'abort', operation: 'c-7f3k' }],
  ])('%s', (text, command) => {
    expect(mesh(text)).toEqual(command);
  });

  it('answers an area alone with its help', () => {
    expect(parseCommand('', { root: 'encryption' })).toEqual({ kind: 'help', topic: 'encryption' });
  });
});

describe('parseCommand says what is wrong and what was probably meant', () => {
  it.each([
    ['canry backend 10%', 'canary backend 10%'],
    ['stop backend', 'abort backend'],
    ['canry Backend 10% --stpes 5 --soak 2 minutes', 'canary backend 10% --steps 5 --soak 2m'],
    ['canary backend 10% -steps 5', 'canary backend 10% --steps 5'],
    ['canary backend 10% --sokk=2m', 'canary backend 10% --soak=2m'],
    ['canary backend 10,5%', 'canary backend 10.5%'],
    ['canary backend 10.55%', 'canary backend 10.6%'],
    // 0% asks nobody, 100% is a promotion: neither is what was typed.
    ['canary backend 0.04%', 'canary backend 0.1%'],
    ['canary backend 99.97%', 'canary backend 99.9%'],
    ['canary backend 10% --slo 99.9%', 'canary backend 10% --slo 0.1%'],
    ['canary backend 10% --slo relativ', 'canary backend 10% --slo relative'],
    ['canary backend 10% --budget 0', 'canary backend 10% --budget 1'],
    ['canary backend 10% --probe 200/s', 'canary backend 10% --probe 20/s'],
    ['canary backend 10% --steps 25,5,10', undefined],
    ['canary backend 50% --steps 25,5,10', 'canary backend 50% --steps 5,10,25'],
    ['canary backend 10% --reason new cache', 'canary backend 10% --reason "new cache"'],
    ['promot backend', 'promote backend'],
    ['rollback backend --soak 2m', 'rollback backend'],
    ['canary backend 0.1', undefined],
    ['enforce backend', 'policy enforce backend'],
    ['polcy enforce backend', 'policy enforce backend'],
    ['policy enfroce Backend', 'policy enforce backend'],
    ['xyzzy', undefined],
    ['constructor', undefined],
  ])('%s -> %s', (text, correction) => {
    expect(meant(text)).toBe(correction);
  });

  it('has a precise sentence for each', () => {
    expect(words('canary backend 10% --soak 2 minutes')).toBe('`--soak` takes a duration such as 30s or 2m; `2 minutes` is not one.');
    expect(words('canary backend 0.1')).toBe('`0.1` could mean 0.1% or 10%: write it with the % sign.');
    expect(words('canary backend 101%')).toContain('0 to 100');
    expect(words('canary backend -5%')).toContain('0 to 100');
    expect(words('canary backend')).toContain('needs a percent');
    expect(words('canary 10%')).toContain('needs a service');
    expect(words('canary ../../etc 10%')).toContain('not a Kubernetes name');
    expect(words('canary a/b/c/d 10%')).toContain('too many parts');
    expect(words(`canary ${'a'.repeat(64)} 10%`)).toContain('64 characters');
    expect(words('canary backend 10% --reason "never closed')).toContain('never closed');
    expect(words('canary backend 10% --soak 1m --soak 2m')).toContain('twice');
    expect(words('canary backend 20% --steps 5,50')).toContain('beyond');
    expect(words('canary backend 10% --soak')).toContain('needs a value');
    expect(words('canary backend 10% extra')).toContain('one word too many');
    expect(words(`canary backend 10% ${'x'.repeat(3_000)}`)).toContain('at most 2000');
  });
});

describe('parseCommand is total', () => {
  const valid = VERBS.flatMap(({ examples }) => examples);
  const pieces = [
    '--',
    '=',
    '%',
    '"',
    '“',
    '—',
    '/',
    ',',
    ' ',
    '\n',
    '0',
    '9',
    '.',
    '-',
    '--soak',
    '--steps',
    '__proto__',
    '\u200b',
    '<!channel>',
    '🙂',
    'A',
  ];
  const mutated = fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(fc.tuple(fc.nat(80), fc.nat(4), fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 }))), { maxLength: 5 }),
    )
    .map(([text, edits]) => edits.reduce((now, [at, cut, put]) => now.slice(0, at) + put + now.slice(at + cut), text));
  const check = (text: string) => {
    for (const root of ['mesh', 'policy', 'encryption'] as const) {
      const answer = parseCommand(text, { root });
      if (answer.kind === 'misunderstood') {
        expect(answer.words.length).toBeGreaterThan(10);
        if (answer.didYouMean !== undefined) expect(parseCommand(answer.didYouMean, { root }).kind).not.toBe('misunderstood');
      } else if (answer.kind === 'canary') {
        expect(Number.isInteger(Math.round(answer.percent * 10 * 1e6) / 1e6)).toBe(true);
        expect(answer.percent).toBeGreaterThanOrEqual(0);
        expect(answer.percent).toBeLessThanOrEqual(100);
        expect(answer.service.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      }
    }
  };

  it('gives an answer to 10,000 random texts', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 60 })), check), {
      numRuns: 10_000,
    });
  });

  it('gives an answer to 10,000 texts near valid ones, and corrections that are commands', () => {
    fc.assert(fc.property(mutated, check), { numRuns: 10_000 });
  });
});

describe('freezes, history, release and header A/B', () => {
  const parse = (text: string) => parseCommand(text, { root: 'mesh' });

  it('reads them', () => {
    expect(parse('freeze demo/backend 2h release weekend')).toEqual({
      kind: 'freeze',
      set: { scope: 'demo/backend', durationMs: 7_200_000, reason: 'release weekend' },
    });
    expect(parse('freeze')).toEqual({ kind: 'freeze' });
    expect(parse('freeze * 30m incident --with dashes')).toMatchObject({ set: { scope: '*', reason: 'incident --with dashes' } });
    expect(parse('unfreeze *')).toEqual({ kind: 'unfreeze', scope: '*' });
    expect(parse('history shop/backend')).toEqual({ kind: 'history', service: { namespace: 'shop', name: 'backend' } });
    expect(parse('release canary-3f9a2c gone')).toEqual({ kind: 'release', operation: 'canary-3f9a2c', reason: 'gone' });
    expect(parse('ab backend X-Canary=yes=1 --soak 5m')).toMatchObject({
      kind: 'ab',
      header: { name: 'x-canary', value: 'yes=1' },
      options: { soakMs: 300_000 },
    });
    expect(parse('ab backend off')).toEqual({ kind: 'ab', service: { name: 'backend' }, options: {} });
    expect(parse('canary backend 10% --include-other-namespaces')).toMatchObject({ options: { includeOthers: true } });
  });

  it.each([
    ['freeze Demo 2h x', /no scope/],
    ['freeze a/b/c/d 2h x', /no scope/],
    ['freeze demo', /duration/],
    ['freeze demo soon x', /duration/],
    ['freeze demo 2h', /reason/],
    ['unfreeze', /scope/],
    ['release', /id of an operation/],
    ['release backend', /id of an operation/],
    ['ab backend', /needs a service, and a header/],
    ['ab backend x-canary', /name=value/],
    ['ab backend x-canary=', /name=value/],
    ['ab backend host=x', /set on every request/],
    ['ab backend "x canary=1"', /not the name of a header/],
  ])('%s is refused with the reason', (text, reason) => {
    expect(parse(text)).toMatchObject({ kind: 'misunderstood', words: expect.stringMatching(reason) });
  });
});
