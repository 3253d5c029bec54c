import { afterAll, describe, expect, test } from 'vitest';
import { dryRun } from '../../../../src/domain/policy/dryrun/dry-run.ts';
import { readRecordedLine } from '../../../../src/domain/policy/dryrun/recorded.ts';
import { learnPolicy } from '../../../../src/domain/policy/learn/learn.ts';
import type { Direction, Policy } from '../../../../src/domain/policy/policy.ts';
import { connectionOf, type Recorded, recording } from '../../../support/recordings.ts';
import { policy } from './lines.ts';

/**
 * A dry-run against the datapath itself: a real agent held each connection to the policy, and what it decided is in its records. The
 * dry-run must find every connection that was dropped and invent none, each looked at alone, from all records of it or from its traces.
 */
const app = (name: string) => ({ matchLabels: { app: name } });
const of = (name: string) => ({ matchLabels: { app: name, 'k8s:io.kubernetes.pod.namespace': name } });
const tcp = (port: number) => [{ ports: [{ port: String(port), protocol: 'TCP' }] }];

const backend = policy('backend', 'backend', {
  endpointSelector: app('backend'),
  ingress: [{ fromEndpoints: [of('frontend')], toPorts: tcp(8080) }],
});
const frontend = policy('frontend', 'frontend', {
  endpointSelector: app('frontend'),
  egress: [{ toEndpoints: [of('backend')], toPorts: tcp(8080) }],
});
const alsoDenied = policy('backend', 'also-denied', {
  endpointSelector: app('backend'),
  ingress: [{ fromEndpoints: [of('frontend')], toPorts: tcp(8080) }],
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'database' } }] }],
});
const database = policy('database', 'database', {
  endpointSelector: app('database'),
  ingress: [{ fromEndpoints: [of('backend')], toPorts: tcp(8080) }],
});
const closed = policy('database', 'closed', {
  endpointSelector: app('database'),
  ingress: [{ fromEndpoints: [of('frontend')] }, { fromEndpoints: [of('backend')], toPorts: tcp(8080) }],
});
const cohort = policy('backend', 'cohort', {
  endpointSelector: { matchLabels: { app: 'backend', 'meshops.dev/ro-x1': 'enforce' } },
  ingress: [{}],
});
const names = policy('frontend', 'names', {
  endpointSelector: app('frontend'),
  egress: [
    {
      toCIDR: ['10.210.0.53/32'],
      toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }], rules: { dns: [{ matchPattern: '*.example.com' }] } }],
    },
    { toFQDNs: [{ matchPattern: '*.example.com' }], toPorts: tcp(8080) },
  ],
});

interface Case {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly candidate: Policy;
  readonly direction: Direction;
  /** What the datapath did: connections dropped and let through. */
  readonly dropped: number;
  readonly passed: number;
  /** Names behind addresses are not in every record: so many say so instead of being decided. */
  readonly undecided?: number;
  /** Nothing was enforced: the agent's shadow verdict says what would have been (match type 4: by nothing but the wildcard). */
  readonly isShadow?: boolean;
}

const CASES: readonly Case[] = [
  { name: '01-two-nodes', from: 'B0', to: 'C0', candidate: backend, direction: 'ingress', dropped: 8, passed: 3 },
  { name: '01-two-nodes', from: 'C1', to: 'Z', candidate: frontend, direction: 'egress', dropped: 1, passed: 1 },
  { name: '01-two-nodes', from: 'C1', to: 'Z', candidate: alsoDenied, direction: 'ingress', dropped: 2, passed: 1 },
  { name: '03-shadow', from: 'S1', to: 'S8', candidate: database, direction: 'ingress', dropped: 4, passed: 1, isShadow: true },
  { name: '03-shadow', from: 'S9', to: 'S12', candidate: closed, direction: 'ingress', dropped: 1, passed: 2 },
  { name: '03-shadow', from: 'start', to: 'end', candidate: cohort, direction: 'ingress', dropped: 40, passed: 0 },
  { name: '04-dns', from: 'D1', to: 'end', candidate: names, direction: 'egress', dropped: 3, passed: 3, undecided: 1 },
  { name: '06-native-kpr', from: 'N3', to: 'end', candidate: backend, direction: 'ingress', dropped: 1, passed: 4 },
];

const isPolicys = ({ flow }: Recorded) => flow.event_type.type !== 4;
const isReply = ({ flow }: Recorded) => flow.l7?.type === 'RESPONSE' || (flow as { readonly is_reply?: boolean }).is_reply === true;

/** What the agents decided of each connection of the subject, by their own records alone. */
function truthOf(records: readonly Recorded[], { candidate, direction, isShadow }: Case): ReadonlyMap<string, boolean> {
  const truth = new Map<string, boolean>();
  for (const record of records) {
    const { flow } = record;
    const end = direction === 'ingress' ? flow.destination : flow.source;
    const decides = flow.event_type.type === 5 || (flow.event_type.type === 129 && !isReply(record));
    if (!decides || flow.traffic_direction !== direction.toUpperCase() || end.namespace !== candidate.namespace) continue;
    const key = connectionOf(flow, false);
    const isDropped = flow.verdict === 'DROPPED' || (isShadow === true && flow.policy_match_type === 4);
    if (candidate.name === 'cohort' && !isDropped) continue;
    truth.set(key, isDropped || (truth.get(key) ?? false));
  }
  return truth;
}

type Found = 'drops' | 'allows' | 'undecided' | 'nothing';

function findingOf(records: readonly Recorded[], candidate: Policy): Found {
  const run = dryRun({ flows: records.map(({ line }) => readRecordedLine(line)), inForce: [], candidate });
  if (run.wouldDrop.length > 0) return 'drops';
  if (run.unknown.length > 0) return 'undecided';
  return run.stillAllowed > 0 ? 'allows' : 'nothing';
}

const printed: string[] = [];
afterAll(() => {
  console.info(['recording, candidate: dropped by the datapath / found, invented, undecided', ...printed].join('\n'));
});

describe.each(CASES)('$name from $from to $to under $candidate.name', (one) => {
  const records = recording(one.name, one.from, one.to);
  const truth = truthOf(records, one);
  const recordsOf = (key: string) => records.filter((record) => connectionOf(record.flow, isReply(record)) === key);

  test('finds each connection that was dropped, and invents none', () => {
    const found = [...truth].map(([key, isDropped]) => ({ key, isDropped, finding: findingOf(recordsOf(key), one.candidate) }));
    const count = (isDropped: boolean, finding: Found) =>
      found.filter((each) => each.isDropped === isDropped && each.finding === finding).length;
    const { dropped, passed, undecided = 0 } = one;
    printed.push(
      `${one.name} ${one.from}..${one.to}, ${one.candidate.name}: ${dropped} / ${count(true, 'drops')}, ${count(false, 'drops')}, ${count(true, 'undecided') + count(false, 'undecided')}`,
    );
    expect(found.filter(({ isDropped }) => isDropped)).toHaveLength(dropped);
    expect(found.filter(({ isDropped }) => !isDropped)).toHaveLength(passed);
    expect({ found: count(true, 'drops'), kept: count(false, 'allows'), undecided: count(true, 'undecided') }).toEqual({
      found: dropped - undecided,
      kept: passed,
      undecided,
    });
  });

  test('and none of those that were let through either, where only their traces are known', () => {
    const traced = [...truth].filter(([key, isDropped]) => !isDropped && recordsOf(key).some((record) => !isPolicys(record)));
    const wrong = traced.filter(
      ([key]) =>
        findingOf(
          recordsOf(key).filter((record) => !isPolicys(record)),
          one.candidate,
        ) === 'drops',
    );
    // A shadow lets everything through, and so does the datapath's trace.
    expect(wrong).toEqual([]);
  });
});

/** `frontend>backend:8080/TCP`: what tells one kind of connection from another. */
function kindOf({ flow }: Recorded): string {
  const [protocol = '', ports = {}] = Object.entries(flow.l4)[0] ?? [];
  const end = ({ namespace, labels = [] }: Recorded['flow']['source']) =>
    namespace ?? labels.filter((label) => label.startsWith('reserved:')).join();
  return `${end(flow.source)}>${end(flow.destination)}:${ports.destination_port ?? ''}/${protocol}`;
}

test('what is found without a policy is what the datapath drops once there is one, kind by kind', () => {
  const before = recording('01a-no-policy');
  const after = recording('01-two-nodes', 'B0', 'C0').filter(
    ({ flow }) => flow.event_type.type === 5 && flow.traffic_direction === 'INGRESS' && flow.destination.namespace === 'backend',
  );
  const truth = new Map(after.map((record) => [kindOf(record), record.flow.verdict === 'DROPPED']));
  const both = new Set(before.filter((record) => truth.has(kindOf(record)) && !isReply(record)).map(kindOf));
  const found = [...both].map(
    (kind) =>
      [
        kind,
        findingOf(
          before.filter((record) => kindOf(record) === kind),
          backend,
        ) === 'drops',
      ] as const,
  );
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries([...both].map((kind) => [kind, truth.get(kind)])));
  printed.push(
    `01a-no-policy against 01-two-nodes B0..C0, backend: ${found.filter(([, drops]) => drops).length} kinds dropped, ${found.filter(([, drops]) => !drops).length} kept, all as found`,
  );
  expect(found.length).toBeGreaterThanOrEqual(5);
});

describe('what is learned', () => {
  test.each([
    ['01a-no-policy', 'backend', 'start', 'end', 11],
    ['01a-no-policy', 'frontend', 'start', 'end', 9],
    ['06-native-kpr', 'backend', 'start', 'N3', 2],
    ['wg-native-flows', 'backend', 'start', 'end', 3],
    ['wg-tunnel-flows', 'frontend', 'start', 'end', 3],
  ])('from %s for %s drops nothing of it', (name, workload, from, to, connections) => {
    const records = recording(name, from, to);
    const flows = () => records.map(({ line }) => readRecordedLine(line));
    const learned = learnPolicy({ flows: flows(), namespace: workload, name: workload, selector: { app: workload } });
    expect(learned).toMatchObject({ connections, denied: 0, unknown: {} });
    const candidate = policy(workload, workload, learned.policy?.document['spec'] as object);
    expect(dryRun({ flows: flows(), inForce: [], candidate }).wouldDrop).toEqual([]);
  });

  test('without a policy allows nothing that was not seen: the datapath dropped the database later, and so would this', () => {
    const flows = recording('01a-no-policy').map(({ line }) => readRecordedLine(line));
    const { policy: learned } = learnPolicy({ flows, namespace: 'backend', name: 'backend', selector: { app: 'backend' } });
    const candidate = policy('backend', 'backend', learned?.document['spec'] as object);
    const later = recording('01-two-nodes', 'B4', 'B5').filter(({ flow }) => flow.source.namespace === 'database');
    expect(findingOf(later, candidate)).toBe('drops');
  });
});
