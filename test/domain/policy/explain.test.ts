import { describe, expect, it } from 'vitest';
import type { PolicyFlow, PolicyPeer } from '../../../src/domain/policy/flow.ts';
import { asks, ccnp, client, clientPolicy, cnp, dns, evaluator, get, outside, pod, reserved, server, tcp } from './cluster.ts';

type Rest = Omit<PolicyFlow, 'source' | 'destination'>;
function ingress(documents: readonly object[], source: PolicyPeer = client, rest: Rest = tcp(80)) {
  return evaluator(documents).explain({ source, destination: server, ...rest }).ingress;
}
const http = (path: string) => ({ toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ path }] } }] });
function inSpecs(name: string, ...specs: readonly object[]) {
  return {
    kind: 'CiliumNetworkPolicy',
    metadata: { name, namespace: 'back' },
    specs: specs.map((spec) => ({ endpointSelector: {}, ...spec })),
  };
}

describe('an explanation', () => {
  it('names every rule that allows, with its policy and place', () => {
    const wide = ccnp({ endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] });
    const two = inSpecs('two', { ingress: [{ fromEntities: ['world'] }] }, { ingress: [{}, { fromEntities: ['cluster'] }] });
    const reason = ingress([wide, cnp({ ingress: [{ fromEntities: ['all'] }] }), two]);
    expect(reason).toMatchObject({ direction: 'ingress', kind: 'allow' });
    expect(reason?.rules).toEqual([
      { kind: 'CiliumClusterwideNetworkPolicy', policy: 'w', path: 'spec.ingress[0]' },
      { kind: 'CiliumNetworkPolicy', policy: 'back/p', path: 'spec.ingress[0]' },
      { kind: 'CiliumNetworkPolicy', policy: 'back/two', path: 'specs[1].ingress[1]' },
    ]);
    expect(reason?.words).toBe('Allowed by w (spec.ingress[0]), back/p (spec.ingress[0]), back/two (specs[1].ingress[1]).');
  });

  it('names only the deny rules of a denial', () => {
    const reason = ingress([
      cnp({ ingress: [{ fromEntities: ['all'] }], ingressDeny: [{ fromEntities: ['world'] }, { fromEntities: ['cluster'] }] }),
    ]);
    expect(reason).toMatchObject({ kind: 'deny', rules: [{ path: 'spec.ingressDeny[1]' }] });
  });

  it('tells the rule that permits a request from one that only carries it', () => {
    const policies = [cnp({ ingress: [http('/a'), http('/b')] })];
    expect(ingress(policies, client, get('/b'))).toMatchObject({ kind: 'allow', rules: [{ path: 'spec.ingress[1]' }] });
    const refused = ingress(policies, client, get('/c'));
    expect(refused).toMatchObject({ kind: 'l7', rules: [{ path: 'spec.ingress[0]' }, { path: 'spec.ingress[1]' }] });
    expect(refused?.words).toMatch(/none of its layer 7 rules permits this request/);
  });

  it('does the same for names', () => {
    const rule = (name: string) => ({ toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }], rules: { dns: [{ matchName: name }] } }] });
    const policies = [clientPolicy({ egress: [rule('a.com'), rule('b.com')] })];
    const egress = (query: string) => evaluator(policies).explain({ source: client, destination: dns, ...asks(query) }).egress;
    expect(egress('b.com')).toMatchObject({ kind: 'allow', rules: [{ path: 'spec.egress[1]' }] });
    expect(egress('c.com')).toMatchObject({ kind: 'l7' });
  });

  it('says so when no rule decides, and why', () => {
    const closed = [cnp({ ingress: [{}] })];
    const open = [cnp({ enableDefaultDeny: { ingress: false }, ingress: [{}] })];
    expect(ingress([])).toEqual({
      direction: 'ingress',
      kind: 'no-policy',
      rules: [],
      words: expect.stringMatching(/^No rule .*no policy selects/),
    });
    expect(ingress(open)).toMatchObject({
      kind: 'default-allow',
      rules: [],
      words: expect.stringMatching(/^No rule .*without default deny/),
    });
    expect(ingress(closed)).toMatchObject({
      kind: 'default-deny',
      rules: [],
      words: expect.stringMatching(/^No rule .*default deny for ingress/),
    });
    expect(ingress(closed, reserved('host'))).toMatchObject({ kind: 'host', rules: [], words: expect.stringMatching(/^No rule .*node/) });
  });

  it('says nothing of a side on which no policy is enforced', () => {
    const {
      egress,
      ingress: inward,
      decision,
    } = evaluator([]).explain({ source: outside(), destination: reserved('remote-node'), ...tcp(80) });
    expect({ egress, inward, decision }).toEqual({
      egress: null,
      inward: null,
      decision: { verdict: 'allowed', egress: null, ingress: null },
    });
  });
});

describe('handles', () => {
  it('are the same for peers that are decided alike, and are refused elsewhere', () => {
    const one = evaluator([]);
    expect(one.identity(pod('front', 'client'))).toBe(one.identity({ ...pod('front', 'client'), ip: '10.9.9.9' }));
    expect(one.identity(outside('203.0.113.7'))).not.toBe(one.identity(outside('203.0.113.8')));
    const handle = one.identity(client);
    expect(() => evaluator([]).decideBetween({ source: handle, destination: handle, ...tcp(80) })).toThrow(/no identity/);
  });

  it('are not needed: a hundred thousand addresses are decided one by one, and what comes after them as well', () => {
    const one = evaluator([cnp({ ingress: [{ fromCIDR: ['203.0.113.0/25'] }] })]);
    const from = (index: number) => outside(`203.0.${113 + (index >> 16)}.${index & 255}`, [`${index}.example.com`]);
    const allowed = Array.from(
      { length: 100_100 },
      (_, index) => one.decide({ source: from(index), destination: server, ...tcp(80) }).verdict,
    );
    expect(allowed.findIndex((verdict, index) => (verdict === 'allowed') !== (index < 1 << 16 && (index & 255) < 128))).toBe(-1);
    expect(one.explain({ source: outside(), destination: server, ...tcp(80) }).ingress).toMatchObject({ kind: 'allow' });
  });

  it('outlive the outcomes that are remembered', () => {
    const table = evaluator([cnp({ ingress: [{ toPorts: [{ ports: [{ port: '1', endPort: 30_000, protocol: 'TCP' }] }] }] })]);
    const [source, destination] = [table.identity(client), table.identity(server)];
    const verdicts = Array.from({ length: 60_000 }, (_, index) => table.decideBetween({ source, destination, ...tcp(index + 1) }).verdict);
    expect(verdicts.filter((verdict) => verdict === 'allowed')).toHaveLength(30_000);
    expect(verdicts.slice(0, 30_000).every((verdict) => verdict === 'allowed')).toBe(true);
  });
});
