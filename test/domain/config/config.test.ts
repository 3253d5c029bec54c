import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/domain/config/parse.ts';
import { kubernetesIdentity, resolveTarget, settingsFor } from '../../../src/domain/config/use.ts';

function example() {
  return {
    clusters: {
      demo: {
        kubernetes: { context: 'demo' },
        hubble: { agents: 'nodes', tls: { caFile: '/etc/hubble/ca.pem' } },
        prometheus: 'http://127.0.0.1:9090',
      },
      edge: { kubernetes: { inCluster: true }, hubble: { agents: [{ node: 'node-1', address: '127.0.0.1:4244' }] } },
    },
    channels: [
      { id: 'C0MESH', cluster: 'demo', namespace: 'backend' },
      { id: 'C0LOOK', verbs: ['status'], cluster: 'demo' },
    ],
    identities: {
      rules: [
        { email: 'Operator@example.com', groups: ['mesh-operators'] },
        { email: '*@example.com', user: 'slack:{email}' },
      ],
    },
    gates: [
      { approvers: { usergroups: ['S0REVIEWERS'] }, expiry: '10m' },
      { above: '25%', namespaces: ['backend'], approvers: { emails: ['a@example.com', 'b@example.com'] }, quorum: 2 },
    ],
    ladders: { default: [1, 10, '50%', 100], 'backend/backend': [25, 100] },
    objectives: {
      default: { slo: '1%' },
      backend: { latency: '500ms' },
      'backend/backend': { minRequests: 20 },
      ledger: { mode: 'absolute', budget: 40, confidence: 0.95 },
    },
    timings: { soak: '3s' },
    slack: { teamIds: ['T0MESHOPS'] },
  };
}

describe('what one cluster has of its own', () => {
  const target = { cluster: 'edge', namespace: 'backend', name: 'backend' };
  const settings = (own: object, at = target) => {
    const config = example();
    Object.assign(config.clusters.edge, own);
    const parsed = parseConfig(config);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return settingsFor(parsed.config, at, 'canary');
  };

  it('counts before what is said for all, of the same scope; a narrower scope counts first', () => {
    const own = {
      ladders: { default: [50, 100], 'backend/backend': [2, 100] },
      objectives: { default: { slo: '2%' }, backend: { latency: '250ms' } },
      timings: { soak: '9s' },
      gitops: 'refuse',
    };
    expect(settings(own)).toMatchObject({
      ladder: [2, 100],
      objective: 0.02,
      latencyLimitMs: 250,
      minRequests: 20,
      soakMs: 9_000,
      afterwatchMs: 15 * 60_000,
      gitops: 'refuse',
    });
    expect(settings(own, { ...target, namespace: 'shop' })).toMatchObject({ ladder: [50, 100], latencyLimitMs: 1_000 });
    // For all, the exact scope beats the cluster's default.
    expect(settings({ ladders: { default: [50, 100] } }).ladder).toEqual([25, 100]);
    const elsewhere = settings(own, { ...target, cluster: 'demo' });
    expect(elsewhere).toMatchObject({ ladder: [25, 100], objective: 0.01, latencyLimitMs: 500, soakMs: 3_000 });
    expect(elsewhere).not.toHaveProperty('gitops');
  });

  it('is checked like the rest', () => {
    const wrong = (own: object) => {
      const config = example();
      Object.assign(config.clusters.edge, own);
      const parsed = parseConfig(config);
      return parsed.ok ? [] : parsed.problems.map(({ path, words }) => `${path.join('.')}: ${words}`);
    };
    expect(wrong({ timings: { soak: 'long' } })[0]).toContain('clusters.edge.timings.soak: `long` is not a duration');
    expect(wrong({ prometheus: 'prometheus:9090' })[0]).toContain('clusters.edge.prometheus');
    const login = { url: 'https://p', bearerFile: '/t', basic: { user: 'a', passwordFile: '/p' } };
    expect(wrong({ prometheus: login })).toEqual(['clusters.edge.prometheus: Either `bearerFile` or `basic`, not both.']);
    expect(wrong({ prometheus: { url: 'https://p', tls: { certFile: '/c' } } })[0]).toContain('A client certificate needs both');
    expect(wrong({ prometheus: { url: 'https://p', password: 'x' } })[0]).toContain('sounds like a secret');
    expect(wrong({ ciliumNamespace: 'cilium-system' })).toEqual([]);
  });
});
function problems(change: (config: ReturnType<typeof example> & Record<string, unknown>) => void) {
  const config = example();
  change(config);
  const parsed = parseConfig(config);
  return parsed.ok ? [] : parsed.problems.map(({ path, words }) => `${path.join('.')}: ${words}`);
}
function config() {
  const parsed = parseConfig(example());
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

describe('meshops.yaml', () => {
  it('is read with defaults filled in', () => {
    expect(config().timings).toEqual({
      soak: 3_000,
      afterwatch: 900_000,
      restoredWatch: 60_000,
      hold: 1_800_000,
      undoTold: 30_000,
      freezeLook: 10_000,
      heartbeat: 5_000,
      realise: 30_000,
      editEvery: 3_000,
    });
    expect(config().slack.commands.mesh).toBe('/mesh');
    expect(config().clusters['demo']?.hubble.port).toBe(4244);
  });

  it('refuses what looks like a secret without repeating it', () => {
    const found = problems((each) => Object.assign(each.slack, { botToken: 'xoxb-1-2-3', note: 'xapp-1-A-b' }));
    expect(found.map((words) => words.split(':')[0])).toEqual(['slack.botToken', 'slack.note']);
    expect(found.join()).not.toMatch(/xoxb|xapp/);
    expect(problems((each) => Object.assign(each.audit ?? each, { audit: { database: 'postgres://me:hunter2@db/x' } })).join()).toContain(
      'looks like a secret',
    );
  });

  it.each<[string, Parameters<typeof problems>[0], string]>([
    ['unknown keys', (each) => Object.assign(each, { chanels: [] }), 'chanels: There is no key `chanels` here; did you mean `channels`?'],
    // Every key of the schema is known to the hints, whatever verb brought it.
    [
      'unknown keys of objectives',
      (each) => Object.assign(each, { objectives: { default: { confidense: 0.9 } } }),
      'objectives.default.confidense: There is no key `confidense` here; did you mean `confidence`?',
    ],
    [
      'unknown keys beside gates',
      (each) => Object.assign(each, { gitop: 'warn' }),
      'gitop: There is no key `gitop` here; did you mean `gitops`?',
    ],
    ['missing parts', (each) => Reflect.deleteProperty(each, 'gates'), 'gates: `gates` is missing.'],
    ['wrong kinds', (each) => Object.assign(each, { gates: 'none' }), 'gates: Expected a list.'],
    ['durations', (each) => Object.assign(each.timings, { soak: '3 seconds' }), 'timings.soak: `3 seconds` is not a duration'],
    [
      'strange clusters',
      (each) => Object.assign(each.channels[0] ?? {}, { cluster: 'nowhere' }),
      'channels.0.cluster: There is no cluster `nowhere`',
    ],
    ['gates nobody opens', (each) => Object.assign(each.gates[1] ?? {}, { quorum: 3 }), 'gates.1: The quorum is larger'],
    [
      'gates on the way back',
      (each) => Object.assign(each.gates[0] ?? {}, { verbs: ['rollback'] }),
      'gates.0.verbs.0: `rollback` never waits',
    ],
    ['falling ladders', (each) => Object.assign(each.ladders, { default: [10, 5] }), 'ladders.default: Rungs rise'],
    [
      'two ways to flows',
      (each) => Object.assign(each.clusters.demo.hubble, { relay: 'relay:4245' }),
      'clusters.demo.hubble: Say how flows are read',
    ],
    [
      'no way to flows',
      (each) => Reflect.deleteProperty(each.clusters.edge.hubble, 'agents'),
      'clusters.edge.hubble: Say how flows are read',
    ],
    [
      'Kubernetes own groups',
      (each) => Object.assign(each.identities.rules[0] ?? {}, { groups: ['system:masters'] }),
      'identities.rules.0.groups.0: Names that begin',
    ],
    [
      'a blank before such a group, which the API server does not see',
      (each) => Object.assign(each.identities.rules[0] ?? {}, { groups: [' system:masters'] }),
      'identities.rules.0.groups.0: Write it without blanks',
    ],
    [
      'a line end in a group',
      (each) => Object.assign(each.identities.rules[0] ?? {}, { groups: ['mesh\nsystem:masters'] }),
      'identities.rules.0.groups.0: Write it without blanks',
    ],
    [
      'one port for all',
      (each) => Object.assign(each, { http: { port: 8080, metricsPort: 8080 } }),
      'http: The metrics have a port of their own',
    ],
  ])('explains %s', (_, change, words) => {
    expect(problems(change).join('\n')).toContain(words);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => void parseConfig(value)),
      { numRuns: 500 },
    );
    expect(parseConfig(null)).toMatchObject({ ok: false });
  });
});

describe('the configuration in use', () => {
  const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };

  it('takes the nearest scope, and what was typed before all', () => {
    expect(settingsFor(config(), target, 'canary')).toMatchObject({
      ladder: [25, 100],
      objective: 0.01,
      latencyLimitMs: 500,
      minRequests: 20,
      soakMs: 3_000,
    });
    expect(settingsFor(config(), { ...target, name: 'constructor' }, 'canary', { soakMs: 9 })).toMatchObject({
      ladder: [1, 10, 50, 100],
      soakMs: 9,
    });
    expect(settingsFor(config(), { ...target, namespace: 'constructor' }, 'canary').ladder).toEqual([1, 10, 50, 100]);
    const typed = settingsFor(config(), { ...target, namespace: 'ledger' }, 'canary', { budget: 7, slo: 'relative' });
    expect(typed).toMatchObject({ slo: 'relative', budget: 7, confidence: 0.95 });
    expect(settingsFor(config(), { ...target, namespace: 'ledger' }, 'canary')).toMatchObject({ slo: 'absolute', budget: 40 });
    expect(settingsFor(config(), target, 'canary')).not.toHaveProperty('budget');
    expect(settingsFor(config(), target, 'canary')).not.toHaveProperty('probes');
    expect(settingsFor(config(), target, 'canary', { probesPerSecond: 5 })).toMatchObject({ probes: { perSecond: 5 } });
    const quiet = { ...config(), objectives: { default: { probes: { perSecond: 2, path: '/healthz' } } } };
    expect(settingsFor(quiet, target, 'canary', { probesPerSecond: 5 }).probes).toEqual({ perSecond: 5, path: '/healthz' });
  });

  it('gives each command its gates, and a way back those of its verb, which it meets when it comes late', () => {
    expect(settingsFor(config(), target, 'promote').gates.map(({ above, quorum }) => [above, quorum])).toEqual([
      [0, 1],
      [0.25, 2],
    ]);
    expect(settingsFor(config(), { ...target, namespace: 'other' }, 'canary').gates).toHaveLength(1);
    expect(settingsFor(config(), target, 'rollback').gates).toEqual(settingsFor(config(), target, 'canary').gates);
    expect(settingsFor(config(), target, 'abort').gates).toEqual([]);
  });

  it('knows what a bare name means in a channel', () => {
    expect(resolveTarget(config(), 'C0MESH', { name: 'backend' }, 'canary')).toEqual(target);
    expect(resolveTarget(config(), 'C0MESH', { namespace: 'x', name: 'backend' }, 'canary')).toEqual({ ...target, namespace: 'x' });
    expect(resolveTarget(config(), 'C0LOOK', { name: 'backend' }, 'status')).toMatchObject({ refusal: { code: 'NoNamespace' } });
    expect(resolveTarget(config(), 'C0LOOK', { name: 'backend' }, 'canary')).toMatchObject({ refusal: { code: 'VerbNotAllowed' } });
    expect(resolveTarget(config(), 'C0ELSE', { name: 'backend' }, 'canary')).toMatchObject({ refusal: { code: 'ChannelNotAllowed' } });
    expect(resolveTarget(config(), 'C0MESH', { cluster: 'gone', name: 'backend' }, 'canary')).toMatchObject({
      refusal: { code: 'UnknownCluster' },
    });
  });

  it('knows whom the cluster sees', () => {
    expect(kubernetesIdentity(config(), 'OPERATOR@example.com')).toEqual({
      user: 'meshops:operator@example.com',
      groups: ['mesh-operators'],
    });
    expect(kubernetesIdentity(config(), 'reviewer@example.com')).toEqual({ user: 'slack:reviewer@example.com', groups: [] });
    expect(kubernetesIdentity(config(), 'someone@elsewhere.test')).toBeUndefined();
  });
});
