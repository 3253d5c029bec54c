// Recordings and candidates of kinds that were found in the field. What is right was decided by Cilium's engine, its schema or its documentation.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { EXIT } from '../../src/cli/outcomes.ts';
import { policyDryRun } from '../../src/cli/policy-dryrun.ts';
import type { DryRun } from '../../src/domain/policy/dryrun/dry-run.ts';

const CASES = new URL('../cases/policy/dry/', import.meta.url).pathname;
const at = (name: string): string => join(CASES, name);
const text = (name: string): string => readFileSync(at(name), 'utf8');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

interface More {
  readonly inForce?: string[];
  readonly namespace?: string;
  readonly clusterName?: string;
  readonly stdin?: string;
}

async function words(candidate: string, flows: string, more: More = {}): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const { stdin = '', inForce = [], ...rest } = more;
  const input = { stdin: Readable.from([Buffer.from(stdin)]), signal: AbortSignal.timeout(20_000) };
  const code = await policyDryRun({ candidate, flows, inForce, format: 'words', ...rest, ...input, print: (line) => lines.push(line) });
  return { code, out: lines.join('\n') };
}

async function run(
  candidate: string,
  flows: string,
  more: More = {},
): Promise<DryRun & { readonly code: number; readonly decided: number }> {
  const lines: string[] = [];
  const { stdin = '', inForce = [], ...rest } = more;
  const input = { stdin: Readable.from([Buffer.from(stdin)]), signal: AbortSignal.timeout(20_000) };
  const code = await policyDryRun({ candidate, flows, inForce, format: 'json', ...rest, ...input, print: (line) => lines.push(line) });
  return { ...(JSON.parse(lines.join('\n')) as DryRun & { readonly decided: number }), code };
}

const dropped = ({ wouldDrop }: DryRun): number => wouldDrop.reduce((sum, { count }) => sum + count, 0);

describe('never green for nothing', () => {
  it('text for people has no labels: it is read, nothing is decided, and the form that is wanted is named', async () => {
    const { code, out } = await words(at('cand.yaml'), at('flows-text.txt'));
    expect(code).toBe(EXIT.unreadable);
    expect(out).toContain('nothing could be decided');
    expect(out).toContain('hubble observe -o jsonpb');
    expect(out).toContain('5 records read');
  });

  it.each([
    ['an empty recording', '', EXIT.empty],
    ['a recording of blank lines', '\n\n', EXIT.empty],
    ['a recording of something else', 'hello\nworld\n', EXIT.unreadable],
    ['a recording without these pods', text('flows.jsonl').replaceAll('app=api', 'app=other'), EXIT.empty],
    ['a recording that breaks off', `${text('flows.jsonl').split('\n')[0]}\n{"flow": {"time": "2026`, EXIT.partly],
  ])('%s', async (_what, flows, code) => {
    const found = await words(at('cand.yaml'), '-', { stdin: flows });
    expect(found.code).toBe(code);
    expect(found.out).not.toContain('✓');
  });

  it('a line that is torn in the middle of a recording costs that line alone', async () => {
    const [first = '', ...rest] = text('flows.jsonl').trim().split('\n');
    const torn = [first.slice(0, 400), `${first.slice(0, 100)}"`, ...rest].join('\n');
    expect(await run(at('cand.yaml'), '-', { stdin: torn })).toMatchObject({ records: rest.length, unreadable: 2 });
  });

  it('a packed recording that breaks off says so, and what was read of it counts', async () => {
    const packed = gzipSync(
      Array.from({ length: 3_000 }, (_, n) =>
        text('flows.jsonl')
          .split('\n')[0]
          ?.replace('40080', String(n + 1)),
      ).join('\n'),
    );
    const { code, out } = await words(at('cand.yaml'), file('cut.gz', packed.subarray(0, packed.length - 200)));
    expect(code).toBe(EXIT.partly);
    expect(out).toContain('The recording breaks off');
  });

  it('a candidate without a namespace is asked for it; with it, the web of another namespace is not this one', async () => {
    const { code, out } = await words(at('cand-nons.yaml'), at('f-otherweb.jsonl'));
    expect(code).toBe(EXIT.unreadable);
    expect(out).toContain('--namespace');
    expect(dropped(await run(at('cand-nons.yaml'), at('f-otherweb.jsonl'), { namespace: 'shop' }))).toBe(1);
  });

  it('a policy for nodes is not decided', async () => {
    expect(await run(at('c-host.yaml'), at('f-ssh.jsonl'))).toMatchObject({
      code: EXIT.undecided,
      unknown: [{ reason: 'node', count: 1 }],
    });
  });

  it.each([
    ['serverNames', text('c-sni.yaml')],
    ['listener', text('c-sni.yaml').replace("serverNames: ['api.example.org']", 'listener: {name: l, envoyConfig: {name: e}}')],
    ['authentication', text('c-sni.yaml').replace(", serverNames: ['api.example.org']}]", '}]\n      authentication: {mode: required}')],
  ])('what lets it through on a further condition (%s) is not decided', async (_what, candidate) => {
    const found = await run(file('condition.yaml', candidate), at('f-sni.jsonl'));
    expect(found).toMatchObject({ code: EXIT.undecided, unknown: [{ reason: 'condition', count: 1 }], wouldDrop: [] });
  });

  it('the same destination without a condition beside it is decided', async () => {
    const plain = text('c-sni.yaml').replace(", serverNames: ['api.example.org']", '');
    expect(await run(file('plain.yaml', plain), at('f-sni.jsonl'))).toMatchObject({ code: EXIT.fine, unknown: [], stillAllowed: 1 });
  });
});

describe('a setting of the cluster is never assumed', () => {
  it('its name stands in the labels of the flows', async () => {
    expect(await run(at('cand.yaml'), at('f-kind.jsonl'))).toMatchObject({ code: EXIT.fine, wouldDrop: [], stillAllowed: 1 });
  });
  it('an option sets it', async () => {
    expect(dropped(await run(at('cand.yaml'), at('f-kind.jsonl'), { clusterName: 'elsewhere' }))).toBe(1);
  });
  it('flows of two clusters, or without a name, ask for it', async () => {
    const both = `${text('f-kind.jsonl')}${text('flows.jsonl')}`;
    expect(await words(at('cand.yaml'), '-', { stdin: both })).toMatchObject({
      code: EXIT.unreadable,
      out: expect.stringContaining('--cluster-name'),
    });
    const none = text('f-kind.jsonl').replaceAll(/"k8s:io.cilium.k8s.policy.cluster=[^"]*", /g, '');
    expect(await words(at('cand.yaml'), '-', { stdin: none })).toMatchObject({
      code: EXIT.unreadable,
      out: expect.stringContaining('--cluster-name'),
    });
  });
});

describe('what is in force', () => {
  const asked = async (inForce: string) => {
    const { code, wouldDrop, wouldAllow, stillDenied, stillAllowed } = await run(at('cand.yaml'), at('flows.jsonl'), {
      inForce: [inForce],
    });
    return { code, dropped: wouldDrop.length, allowed: wouldAllow.length, stillDenied, stillAllowed };
  };
  it('is the same from a folder and from the file in it', async () => {
    expect(await asked(at('inforce'))).toEqual(await asked(at('knp.yaml')));
  });
  it('comes as a List, as kubectl writes it, and as a list that the API server gives', async () => {
    const list = await asked(at('list.yaml'));
    const raw = text('list.yaml')
      .replace('apiVersion: v1\nkind: List', 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList')
      .replace('- apiVersion: cilium.io/v2\n  kind: CiliumNetworkPolicy\n  metadata', '- metadata');
    expect(raw).not.toContain('kind: CiliumNetworkPolicy\n');
    expect(await asked(file('raw.yaml', raw))).toEqual(list);
    expect(list).toMatchObject({ dropped: 0, allowed: 1 });
  });
  it('comes from a mounted ConfigMap, where every file is a link', async () => {
    mkdirSync(join(folder, 'mounted'));
    symlinkSync(at('knp.yaml'), join(folder, 'mounted', 'knp.yaml'));
    expect(await asked(join(folder, 'mounted'))).toEqual(await asked(at('knp.yaml')));
  });
  it('in a folder, one that cannot be read is a problem and not left out', async () => {
    const { code, out } = await words(at('cand.yaml'), at('flows.jsonl'), { inForce: [file('torn.yaml', 'kind: NetworkPolicy\na: [')] });
    expect(code).toBe(EXIT.unreadable);
    expect(out).toContain('torn.yaml:2');
  });
});

describe('one question has one answer in all parts', () => {
  it('a name that no DNS rule can learn allows nothing', async () => {
    expect(dropped(await run(at('c-fqdn.yaml'), at('f-fqdn.jsonl')))).toBe(text('f-fqdn.jsonl').trim().split('\n').length);
  });
  it('with the DNS rule the name is learned: in the candidate, or in a policy that is in force', async () => {
    const dns = text('c-fqdn.yaml').replace('protocol: ANY}]}]', "protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]");
    const names = await run(file('dns.yaml', dns), at('f-fqdn.jsonl'));
    expect(names.stillAllowed).toBeGreaterThan(0);
    const other = file('other.yaml', dns.replace('name: api', 'name: other').replace(/ {4}- toFQDNs.*\n/, ''));
    expect((await run(at('c-fqdn.yaml'), at('f-fqdn.jsonl'), { inForce: [other] })).wouldAllow).toMatchObject([
      { count: names.stillAllowed },
    ]);
  });
});

describe('records', () => {
  it('ICMPv6 is allowed by its own types, and by no type of ICMPv4', async () => {
    expect(await run(at('c-icmp6.yaml'), at('f-icmp6.jsonl'))).toMatchObject({ code: EXIT.fine, stillAllowed: 1 });
    const v4 = file('v4.yaml', text('c-icmp6.yaml').replace('family: IPv6', 'family: IPv4'));
    expect(dropped(await run(v4, at('f-icmp6.jsonl')))).toBe(1);
  });
  it('a trace at the endpoint with direction egress is evidence for both sides', async () => {
    expect(await run(at('cand.yaml'), at('f-samenode.jsonl'))).toMatchObject({
      code: EXIT.found,
      wouldDrop: [{ direction: 'ingress', count: 1 }],
    });
  });
  it('the number of a drop reason is as good as its description', async () => {
    expect(await run(at('cand.yaml'), at('flows-dropnum.jsonl'))).toMatchObject({ decided: 1 });
    const bySubType = text('flows-dropnum.jsonl').replace(', "drop_reason": 133', '');
    expect(await run(at('cand.yaml'), '-', { stdin: bySubType })).toMatchObject({ decided: 1 });
  });
  it('says that the query string decided', async () => {
    const { code, out } = await words(at('c-http.yaml'), at('f-http.jsonl'));
    expect(code).toBe(EXIT.found);
    expect(out).toContain('The query string decided');
    const host = file('host.yaml', text('c-http.yaml').replace("path: '/items'", 'host: api'));
    expect((await words(host, at('f-http.jsonl'))).out).toContain('The port in the host decided');
  });
});

describe('the same recording in every form that people have', () => {
  const objects = () => text('flows.jsonl').trim().split('\n');
  const bare = () => objects().map((line) => JSON.stringify((JSON.parse(line) as { flow: object }).flow));
  const numbered = () =>
    objects()
      .map((line) => line.replace('"FORWARDED"', '1').replace('"INGRESS"', '1'))
      .join('\n');
  const camel = () =>
    objects()
      .map((line) =>
        line.replaceAll(/"([a-z]+)_([a-z])([a-z]+)":/g, (_all, a: string, b: string, c: string) => `"${a}${b.toUpperCase()}${c}":`),
      )
      .join('\n');
  const FORMS: Readonly<Record<string, () => string | Uint8Array>> = {
    'pretty-printed': () => text('flows-pretty.txt'),
    'bare flows': () => bare().join('\n'),
    'a list on one line': () => `[${objects().join(',')}]`,
    'a pretty list': () =>
      JSON.stringify(
        objects().map((line) => JSON.parse(line) as object),
        null,
        2,
      ),
    'one behind the other': () => objects().join(''),
    gzip: () => gzipSync(text('flows.jsonl')),
    zstd: () => zstdCompressSync(text('flows.jsonl')),
    'a CRI log': () =>
      objects()
        .map((line) => `2026-11-20T10:00:00.000000000Z stdout F ${line}`)
        .join('\n'),
    'a CRI log with split lines': () =>
      objects()
        .map((line) => `2026-11-20T10:00:00.0Z stdout P ${line.slice(0, 300)}\n2026-11-20T10:00:00.0Z stdout F ${line.slice(300)}`)
        .join('\n'),
    "Docker's log": () =>
      objects()
        .map((line) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026' }))
        .join('\n'),
    'UTF-16 with its mark': () => Buffer.from(`\u{FEFF}${text('flows.jsonl')}`, 'utf16le'),
    'lines that end with CR LF': () => text('flows.jsonl').replaceAll('\n', '\r\n'),
    'enums by number': numbered,
    'names in camel case': camel,
  };
  test.each(Object.entries(FORMS))('%s', async (name, form) => {
    const { code, wouldDrop, stillAllowed, records, unreadable } = await run(at('cand.yaml'), at('flows.jsonl'));
    const same = await run(at('cand.yaml'), file(`${name.replaceAll(/\W/g, '-')}.flows`, form()));
    expect(same).toMatchObject({ code, stillAllowed, records, unreadable });
    expect(dropped(same)).toBe(wouldDrop.reduce((sum, { count }) => sum + count, 0));
    expect(records).toBe(3);
  });
});
