import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { policyWatching } from '../../../activities/policy/evidence.ts';
import type { Flow } from '../../../src/clients/hubble/flow.ts';
import type { Flows } from '../../../src/clients/hubble/flows.ts';
import type { FlowFollower } from '../../../src/clients/hubble/stream-listener.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Resource } from '../../../src/clients/kubernetes/objects.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import type { WatchInput } from '../../../src/domain/lifecycle/contract.ts';
import { FULL, OP, podsOf, stagesOf } from '../../domain/policy/stages/documents.ts';
import { verdictFlow } from './flows.ts';

const { stages, policy } = stagesOf({ observed: [], pods: podsOf(4) });
const first = stages[0];
const labelled = (first?.writes ?? []).flatMap(({ object }) => (object.kind === 'Pod' ? [object.name] : []));
const WINDOW_MS = 60_000;

/** The first stage of a rollout, written some seconds ago; the API takes `latencyMs` for each answer. */
function rig({ latencyMs = 0, accepts }: { readonly latencyMs?: number; readonly accepts?: Readonly<Record<string, number>> } = {}) {
  const began = Date.now();
  const heard: Evidence[] = [];
  const replayed: number[] = [];
  let followers: FlowFollower | undefined;
  let ring: Promise<void> | undefined;
  let present = [...labelled];
  let traces: readonly Flow[] = [];
  let silent: string | undefined;
  let reach: number | undefined;
  const cluster = {
    read: async () => sleep(latencyMs, { data: {} }),
    list: async (resource: Resource) => {
      await sleep(latencyMs);
      const items = resource.kind === 'Pod' ? present.map((name) => ({ metadata: { name, namespace: 'frontend' } })) : [];
      return { items, resourceVersion: '1' };
    },
  } as unknown as Cluster;
  const flows = {
    follow: (_keys: readonly string[], follower: FlowFollower) => (followers = follower),
    replay: async (_keys: readonly string[], since: number, follower: FlowFollower) => {
      replayed.push(since);
      await ring;
      if (reach !== undefined) follower.reached?.('node-1', reach, 100);
      if (silent !== undefined) follower.gap(silent, began, 'no answer in time', 1);
      if (follower.traces) for (const trace of traces) follower.flow(trace, 'node-1', began);
      for (const at of [began - 40_000, began - 20_000])
        follower.flow(verdictFlow('node-1', { address: '203.0.113.9', pod: labelled[0] ?? '', at }) as unknown as Flow, 'node-1', began);
    },
  } as unknown as Flows;
  const watching = policyWatching({ cluster, flows, now: Date.now });
  const input = {
    purpose: 'stage',
    durationMs: 60_000,
    stage: first,
    accepted: [],
    settings: { minRequests: 1 },
    plan: {
      details: {
        change: 'enforce',
        opId: OP,
        policy,
        directions: ['ingress', 'egress'],
        windowMs: WINDOW_MS,
        candidate: FULL,
        accepted: Object.keys(accepts ?? {}),
        ...(accepts && { acceptedMost: accepts }),
      },
      originals: [],
    },
    fuse: { originals: [], written: [{ stage: first?.number, writes: first?.writes }] },
    view: { stages: [{ number: first?.number, startedAt: began - 1_000 }] },
  } as unknown as WatchInput;
  const end = new AbortController();
  afterEach(() => end.abort());
  const judge = watching.judge(input, began);
  const open = (resumed: boolean, { since = began, watchedTo = since }: { readonly since?: number; readonly watchedTo?: number } = {}) =>
    watching.open(
      input,
      (event) => {
        heard.push(event);
        judge.hear(event);
      },
      { since, watchedTo, resumed, signal: end.signal },
    );
  const flow = (...of: Parameters<typeof verdictFlow>) => followers?.flow(verdictFlow(...of) as unknown as Flow, 'node-1', Date.now());
  return {
    began,
    heard,
    replayed,
    open,
    flow,
    judge,
    hold: (...held: readonly Flow[]) => void (traces = held),
    silence: (node: string) => void (silent = node),
    reaches: (at: number) => void (reach = at),
    holdRing: (until: Promise<void>) => void (ring = until),
    lose: (name: string) => (present = present.filter((one) => one !== name)),
  };
}

describe('a watch whose API server takes its time', () => {
  test.each([0, 300])(
    'hears who was let through before the stage, at %d ms an answer: a drop of an address outside is harm',
    async (latencyMs) => {
      const { open, replayed, heard, flow, judge, began } = rig({ latencyMs });
      await open(false);
      expect(replayed).toEqual([began - 1_000 - WINDOW_MS]);
      expect(heard.filter(({ kind }) => kind === 'connection')).toHaveLength(2);
      flow('node-1', { address: '203.0.113.9', pod: labelled[0] ?? '', verdict: 'DROPPED' });
      expect(judge.conclude(Date.now()).kind).toBe('harmful');
    },
  );

  test('asks about more of what the command accepted than its dry-run had counted', async () => {
    const key = 'ingress/legacy/legacy/8080/TCP';
    const { open, flow, judge, heard } = rig({ accepts: { [key]: 10 } });
    await open(false);
    const later = (nth: number) => Date.now() + nth * 60_000;
    for (let count = 0; count < 10; count += 1)
      flow('node-1', { app: 'legacy', pod: labelled[0] ?? '', verdict: 'DROPPED', at: later(count) });
    expect(judge.conclude(later(10)).kind).toBe('no-traffic');
    flow('node-1', { app: 'legacy', pod: labelled[0] ?? '', verdict: 'DROPPED', at: later(10) });
    expect(heard.filter((event) => event.kind === 'connection' && event.outcome === 'dropped')).toHaveLength(11);
    expect(judge.conclude(later(11))).toMatchObject({ kind: 'doubtful', doubts: [{ key, count: 1 }] });
  });

  test('fires on what is harm whatever came before while the ring is still being read', async () => {
    const { open, flow, judge, holdRing } = rig();
    const ring = Promise.withResolvers<void>();
    holdRing(ring.promise);
    const opening = open(false);
    await sleep(20);
    flow('node-1', { app: 'legacy', pod: labelled[0] ?? '', verdict: 'DROPPED' });
    expect(judge.conclude(Date.now()).kind).toBe('harmful');
    ring.resolve();
    await opening;
  });

  test('goes on after another attempt from what that one has heard', async () => {
    const { open, replayed, heard, began } = rig();
    await open(true);
    expect(replayed).toEqual([began]);
    expect(heard.filter(({ kind }) => kind === 'connection')).toEqual([]);
  });

  test.each([
    [5_000, 1],
    [15_000, 0],
  ])('has not seen what a ring that reaches back %i ms no longer holds, where the last had watched until 10 s ago', async (reach, gaps) => {
    const { open, reaches, heard, began } = rig();
    reaches(began - reach);
    await open(true, { since: began - 30_000, watchedTo: began - 10_000 });
    expect(heard.filter((event) => event.kind === 'gap' && event.node === 'node-1' && event.lost)).toHaveLength(gaps);
  });
});

describe('a connection that was open before any policy', () => {
  const [pod = ''] = labelled;
  const traceOf = (app: string, trace_reason: string, at: number): Flow =>
    ({
      ...verdictFlow('node-1', { app, pod, at }),
      event_type: { type: 4, sub_type: 0 },
      // As agents write it, also at the destination.
      traffic_direction: 'EGRESS',
      trace_observation_point: 'TO_ENDPOINT',
      trace_reason,
    }) as unknown as Flow;

  test.each(['NEW', 'ESTABLISHED'])('shows by its trace (%s) alone: not seen again, nothing is healthy', async (reason) => {
    const { open, flow, judge, hold, began } = rig();
    hold(traceOf('legacy', reason, began - 5_000));
    await open(false);
    for (const app of ['external', undefined]) flow('node-1', { pod, ...(app !== undefined && { app }) });
    const verdict = judge.conclude(Date.now() + 120_000);
    expect(verdict).toMatchObject({ kind: 'no-traffic', words: expect.stringContaining('connections from legacy/legacy') });
  });

  test('may be missed where a node cannot tell what it had, and people are asked', async () => {
    const { open, flow, judge, silence } = rig();
    silence('node-7');
    await open(false);
    flow('node-1', { pod });
    // Nothing is known of where the pods are, so every node counts.
    expect(judge.conclude(Date.now() + 120_000)).toMatchObject({ kind: 'no-traffic', words: expect.stringContaining('node-7') });
  });
});

test('a pod of the cohort that comes back under its name without its label is no longer under the policy', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  try {
    const [name = ''] = labelled;
    const { open, flow, heard, lose } = rig();
    await open(false);
    flow('node-1', { pod: name });
    expect(heard.at(-1)).toMatchObject({ kind: 'connection', side: 'canary' });
    await sleep(20);
    lose(name);
    await vi.advanceTimersByTimeAsync(5_000);
    await sleep(20);
    expect(heard.find(({ kind }) => kind === 'cohort')).toMatchObject({ left: 0, of: labelled.length });
    flow('node-1', { pod: name });
    expect(heard.at(-1)).toMatchObject({ kind: 'connection', side: 'stable' });
  } finally {
    vi.useRealTimers();
  }
});
