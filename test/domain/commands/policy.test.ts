import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/domain/commands/parse.ts';
import { VERBS, verbsIn } from '../../../src/domain/commands/verbs.ts';

const policy = (text: string) => parseCommand(text, { root: 'policy' });
function words(text: string) {
  const answer = policy(text);
  return answer.kind === 'misunderstood' ? answer.words : `understood as ${JSON.stringify(answer)}`;
}

describe('/policy understands', () => {
  it.each([
    ['enforce frontend', { kind: 'policy enforce', workload: { name: 'frontend' }, options: {} }],
    [
      'enforce shop/frontend --window 10m --steps 10,50 --no-observe --accept a:b/c:9090,ingress:x --reason "least privilege"',
      {
        kind: 'policy enforce',
        workload: { namespace: 'shop', name: 'frontend' },
        options: { windowMs: 600_000, steps: [10, 50], observe: false, accept: ['a:b/c:9090', 'ingress:x'], reason: 'least privilege' },
      },
    ],
    ['enforce --no-observe frontend', { kind: 'policy enforce', workload: { name: 'frontend' }, options: { observe: false } }],
    ['CHECK demo/shop/frontend', { kind: 'policy check', workload: { cluster: 'demo', namespace: 'shop', name: 'frontend' }, options: {} }],
    ['dryrun frontend --window 5m', { kind: 'policy dryrun', workload: { name: 'frontend' }, options: { windowMs: 300_000 } }],
    ['learn frontend', { kind: 'policy learn', workload: { name: 'frontend' }, options: {} }],
    ['observe frontend --window 10 minutes', { kind: 'misunderstood' }],
    ['relax frontend', { kind: 'policy relax', workload: { name: 'frontend' }, options: {} }],
    [
      'delete shop/frontend earlier --steps 10,50',
      {
        kind: 'change',
        command: 'policy delete',
        target: { namespace: 'shop', name: 'frontend' },
        change: { kind: 'delete', policy: 'earlier', steps: [10, 50] },
      },
    ],
    ['delete shop/frontend', { kind: 'change', change: { kind: 'delete', policy: 'frontend' } }],
    ['delete', { kind: 'misunderstood' }],
    ['delete frontend --steps 50,10', { kind: 'misunderstood' }],
    ['status', { kind: 'policy status' }],
    ['status frontend', { kind: 'policy status', workload: { name: 'frontend' } }],
    ['bootstrap demo/shop', { kind: 'policy bootstrap', cluster: 'demo', namespace: 'shop', options: {} }],
    ['', { kind: 'help', topic: 'policy' }],
    ['help enforce', { kind: 'help', topic: 'policy enforce' }],
    ['enforce --help', { kind: 'help', topic: 'policy enforce' }],
  ])('%s', (text, command) => {
    expect(policy(text)).toMatchObject(command);
    expect(parseCommand(`policy ${text}`, { root: 'mesh' })).toMatchObject(command);
  });

  it.each([
    ['frontend/frontend -> backend/backend:8080', ['workload', 'workload'], 8080, 'TCP'],
    ['frontend→backend:8080', ['workload', 'workload'], 8080, 'TCP'],
    ['frontend —> 10.0.0.10:53/udp', ['workload', 'address'], 53, 'UDP'],
    ['world to shop/web:443', ['entity', 'workload'], 443, 'TCP'],
    ['web -> api.example.com:443', ['workload', 'name'], 443, 'TCP'],
    ['web -> [2001:db8::1]:443', ['workload', 'address'], 443, 'TCP'],
    ['kube-apiserver -> web/ICMP', ['entity', 'workload'], 0, 'ICMP'],
  ])('explain %s', (text, kinds, port, protocol) => {
    const [source, destination] = kinds;
    expect(policy(`explain ${text}`)).toMatchObject({
      kind: 'policy explain',
      question: { kind: 'pair', source: { kind: source }, destination: { kind: destination }, port, protocol },
    });
  });

  it('a flow as JSON, with the quotes that phones make', () => {
    expect(policy('explain {“verdict”: “DROPPED”}')).toEqual({
      kind: 'policy explain',
      question: { kind: 'flow', flow: { verdict: 'DROPPED' } },
    });
    expect(policy(`explain {"Summary": "${'x'.repeat(4_000)}"}`).kind).toBe('policy explain');
  });
});

describe('/policy says what is wrong and what was probably meant', () => {
  it.each([
    ['enfroce frontend', 'enforce frontend'],
    ['apply Frontend', 'enforce frontend'],
    ['dry-run frontend', 'dryrun frontend'],
    ['enforce frontend --windwo 10 minutes', 'enforce frontend --window 10m'],
    ['enforce frontend --no-observe=true', 'enforce frontend --no-observe'],
    ['enforce frontend --no-obsreve', 'enforce frontend --no-observe'],
    ['relax frontend --window 10m', 'relax frontend'],
    ['relax frontend --reason too slow', 'relax frontend --reason "too slow"'],
    ['bootstrap Shop', 'bootstrap shop'],
    ['xyzzy', undefined],
  ])('%s -> %s', (text, correction) => {
    const answer = policy(text);
    expect(answer.kind === 'misunderstood' ? answer.didYouMean : answer).toBe(correction);
  });

  it('has a precise sentence for each', () => {
    expect(words('enforce')).toContain('Which workload?');
    expect(words('bootstrap')).toContain('needs a namespace');
    expect(words('enforce a b')).toContain('one word too many');
    expect(words('enforce frontend --steps 50,10')).toContain('rise');
    expect(words('enforce frontend --window 1s')).toContain('10s to 7d');
    expect(words('explain frontend')).toContain('no pair');
    expect(words('explain a -> b')).toContain('To which port?');
    expect(words('explain a -> b:99999')).toContain('1 to 65535');
    expect(words('explain a -> b_c:80')).toContain('neither a workload');
    expect(words('explain {"a":')).toContain('not the JSON of one flow');
  });
});

it('is total: any text gives an answer, and every correction is a command', () => {
  const valid = verbsIn('policy').flatMap(({ examples }) => examples.map((example) => example.replace(/^policy /, '')));
  const pieces = [
    '--',
    '=',
    '"',
    '“',
    '—',
    '->',
    '→',
    ':',
    '/',
    ',',
    ' ',
    '\n',
    '{',
    '}',
    '0',
    '--accept',
    '--no-observe',
    '__proto__',
    '🙂',
    'A',
  ];
  const edit = fc.tuple(fc.nat(80), fc.nat(4), fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })));
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { maxLength: 5 }))
    .map(([text, edits]) => edits.reduce((now, [at, cut, put]) => now.slice(0, at) + put + now.slice(at + cut), text));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
      for (const [root, typed] of [
        ['policy', text],
        ['mesh', `policy ${text}`],
      ] as const) {
        const answer = parseCommand(typed, { root });
        if (answer.kind !== 'misunderstood') continue;
        expect(answer.words.length).toBeGreaterThan(10);
        if (answer.didYouMean !== undefined) expect(parseCommand(answer.didYouMean, { root }).kind).not.toBe('misunderstood');
      }
    }),
    { numRuns: 20_000 },
  );
});

it('every policy verb is understood under both roots', () => {
  for (const { name, examples } of VERBS.filter((verb) => verb.name.startsWith('policy '))) {
    for (const example of examples) {
      const understood = policy(example.replace(/^policy /, ''));
      expect(understood.kind === 'change' ? understood.command : understood.kind).toBe(name);
    }
  }
});
