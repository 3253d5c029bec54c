import { describe, expect, it } from 'vitest';
import { type ConnectionContext, createConnectionReader } from '../../../activities/policy/connections.ts';
import type { Flow } from '../../../src/clients/hubble/flow.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { denialDoubt } from '../../../src/domain/policy/dryrun/doubts.ts';
import { compilePolicies } from '../../../src/domain/policy/evaluator.ts';
import { parsePolicy } from '../../../src/domain/policy/parse.ts';
import { selects } from '../../../src/reading/policy/subject.ts';
import { FULL, OP, policyAfter, policyDocument, stagesOf } from '../../domain/policy/stages/documents.ts';
import { type VerdictOptions, verdictFlow } from './flows.ts';

function parsed(document: JsonObject) {
  const result = parsePolicy(document);
  if (!result.ok) throw new Error(result.error);
  return result.policy;
}
const { stages } = stagesOf();

function readerOf(change: Partial<ConnectionContext> = {}, candidate: JsonObject = policyAfter(stages, 2)) {
  const subject = parsed(FULL);
  const reader = createConnectionReader({
    namespace: 'frontend',
    isSubject: (labels) => selects(subject, labels),
    cohort: new Set(['frontend-1']),
    opId: OP,
    compared: { before: compilePolicies([]), candidate: compilePolicies([parsed(candidate)]) },
    observing: undefined,
    ...change,
  });
  return (options: VerdictOptions, also: Partial<Flow> = {}) =>
    reader.read({ ...(verdictFlow('node-1', options) as unknown as Flow), ...also }, 'node-1', Date.now());
}
const DENIED = { app: 'legacy', verdict: 'DROPPED', at: 1_000_000 } as const;

describe('a drop', () => {
  it("of a cohort pod is the candidate's doing, before its identity shows the label as well", () => {
    expect(readerOf()(DENIED)).toMatchObject({
      outcome: 'dropped',
      cause: 'candidate',
      side: 'canary',
      group: { peer: { name: 'legacy/legacy' }, port: 8080 },
    });
    expect(readerOf()({ ...DENIED, cohort: OP })).toMatchObject({ cause: 'candidate' });
  });

  it('of another pod is not, whatever its labels still show', () => {
    expect(readerOf()({ ...DENIED, pod: 'frontend-2', cohort: OP })).toMatchObject({ cause: 'unexplained', side: 'stable' });
  });

  it('that the policies before deny as well is theirs', () => {
    const closed = compilePolicies([parsed(policyDocument({ ingress: [{ fromEntities: ['ingress'] }] }))]);
    expect(readerOf({ compared: { before: closed, candidate: closed } })(DENIED)).toMatchObject({ cause: 'before' });
  });

  it('shows as a verdict and as a drop, and again when its client tries again: told once in a while', () => {
    const read = readerOf();
    expect(read(DENIED)).toBeDefined();
    expect(read({ ...DENIED, event: 1 })).toBeUndefined();
    expect(read({ ...DENIED, at: DENIED.at + 1_000 })).toBeUndefined();
    expect(read({ ...DENIED, at: DENIED.at + 11_000 })).toBeDefined();
    expect(read({ ...DENIED, port: 9090 })).toBeDefined();
  });

  it.each([
    ['that a port is unreachable', { type: 3, code: 3 }, false],
    ['that a packet was too large', { type: 3, code: 4 }, true],
    ['an echo request', { type: 8 }, true],
  ] as const)('of an ICMP message, %s, is one of a connection where somebody waits for it', (_, ICMPv4, isHeard) => {
    const also = { l4: { ICMPv4 } } as unknown as Partial<Flow>;
    expect(readerOf()(DENIED, also)?.outcome).toBe(isHeard ? 'dropped' : undefined);
  });

  it.each(['AUTH_REQUIRED', 189, 'CT_MAP_INSERTION_FAILED', 'NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT'])(
    'for reason %s is at least a doubt',
    (reason) => {
      const also = { drop_reason_desc: reason } as unknown as Partial<Flow>;
      expect(readerOf({}, policyAfter(stages, 10))({ ...DENIED, app: undefined, event: 1 } as never, also)).toMatchObject({
        outcome: 'dropped',
        cause: 'unexplained',
      });
    },
  );

  it.each([
    ['a peer without labels', { source: { identity: 0, labels: [] } }],
    ['a peer that the agent does not know', { source: { identity: 0, labels: ['reserved:unknown'] } }],
    ['a record without a direction', { traffic_direction: 'TRAFFIC_DIRECTION_UNKNOWN' }],
  ] as const)('of %s is at least a doubt', (_, also) => {
    expect(readerOf()({ ...DENIED, event: 1 }, also as unknown as Partial<Flow>)).toMatchObject({
      outcome: 'dropped',
      cause: 'unexplained',
    });
  });

  it('names the address outside, and the request that was refused', () => {
    expect(readerOf()({ ...DENIED, app: undefined, address: '203.0.113.9' } as never)).toMatchObject({ group: { where: '203.0.113.9' } });
  });

  it('of another workload is not heard, nor is a reply', () => {
    expect(
      readerOf()(DENIED, { destination: { namespace: 'frontend', labels: ['k8s:app=other'], pod_name: 'frontend-1' } }),
    ).toBeUndefined();
    expect(readerOf()(DENIED, { is_reply: { value: true } })).toBeUndefined();
  });

  it('of a request on layer 7 is told with the request', () => {
    const l7 = { type: 'REQUEST', http: { method: 'DELETE', url: 'http://frontend/x', code: 0 } };
    const also = { l7, event_type: { type: 129 }, drop_reason_desc: undefined } as unknown as Partial<Flow>;
    const read = readerOf({}, policyAfter(stages, 8));
    expect(read({ verdict: 'DROPPED' }, also)).toMatchObject({
      outcome: 'dropped',
      cause: 'candidate',
      example: expect.stringContaining('DELETE /x'),
    });
  });
});

describe('while a shadow observes', () => {
  const observing = { directions: ['ingress'], marker: OP, isAll: false } as const;
  const read = (options: VerdictOptions, candidate: JsonObject = FULL) => readerOf({ observing, cohort: undefined }, candidate)(options);

  it.each([
    ['what the wildcard alone lets through would be dropped', { app: 'legacy', matchType: 4 }, FULL, 'would-drop'],
    ['what the shadow allows is let through', { matchType: 2, log: [OP] }, FULL, 'forwarded'],
    [
      'what the datapath matched and the evaluator cannot know is let through',
      { app: 'legacy', matchType: 1, log: [OP] },
      FULL,
      'forwarded',
    ],
    ['what only the wildcard matched says nothing before the shadow has been seen at that pod', { matchType: 4 }, FULL, 'forwarded'],
    [
      'what a deny entry refuses would be dropped, although the shadow lets it through',
      { app: 'legacy', matchType: 1, log: [OP] },
      policyDocument({
        ingress: [{ fromEntities: ['all'] }],
        ingressDeny: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'legacy' } }] }],
      }),
      'would-drop',
    ],
  ] as const)('%s', (_, options, candidate, outcome) => {
    expect(read(options, candidate)).toMatchObject({ outcome });
  });

  it('what only the wildcard matched counts once the shadow has been seen at that pod, even where the evaluator would allow it', () => {
    const watching = readerOf({ observing, cohort: undefined }, FULL);
    expect(watching({ matchType: 1, log: [OP] })).toMatchObject({ outcome: 'forwarded' });
    expect(watching({ matchType: 4 })).toMatchObject({ outcome: 'would-drop', cause: 'unexplained' });
  });

  it('what came before the shadow was seen there says nothing, also where it is read from a ring afterwards', () => {
    const watching = readerOf({ observing, cohort: undefined }, FULL);
    expect(watching({ matchType: 1, log: [OP], at: 2_000 })).toMatchObject({ outcome: 'forwarded' });
    expect(watching({ matchType: 4, at: 1_000 })).toMatchObject({ outcome: 'forwarded' });
    expect(watching({ matchType: 4, at: 3_000 })).toMatchObject({ outcome: 'would-drop' });
  });

  it('what another policy denies and only a shadow without a rollout lets through is asked about, before the shadow goes', () => {
    const closed = compilePolicies([parsed(policyDocument({ ingress: [{ fromEntities: ['ingress'] }] }))]);
    const hidden = { app: 'legacy', matchType: 1, log: [OP] } as const;
    const watching = (isAll: boolean) =>
      readerOf({ observing: { ...observing, isAll }, cohort: undefined, compared: { before: closed, candidate: closed } }, FULL);
    expect(watching(true)(hidden)).toMatchObject({ outcome: 'would-drop', cause: 'hidden' });
    expect(watching(false)(hidden)).toMatchObject({ outcome: 'forwarded' });
  });

  it('without a shadow in the direction the evaluator speaks alone', () => {
    const alone = readerOf({ observing: { ...observing, directions: [] }, cohort: undefined }, FULL);
    expect(alone({ app: 'legacy' })).toMatchObject({ outcome: 'would-drop', cause: 'candidate' });
    expect(alone({})).toMatchObject({ outcome: 'forwarded' });
  });
});

const trace = {
  event_type: { type: 4 },
  trace_observation_point: 'TO_ENDPOINT',
  traffic_direction: 'EGRESS',
} as unknown as Partial<Flow>;
const step = { from: 2_000_000, before: compilePolicies([]), now: compilePolicies([parsed(policyAfter(stages, 2))]) };

describe('where no policy selects a pod its agent has traces alone', () => {
  const at = 3_000_000;

  it('so the pods that are not under the policy yet are counted by them, each connection once', () => {
    const read = readerOf({ step });
    expect(read({ at, pod: 'frontend-2', from: 41_000 }, trace)).toMatchObject({ outcome: 'forwarded', side: 'stable' });
    expect(read({ at, pod: 'frontend-2', from: 41_000 }, trace)).toBeUndefined();
    expect(read({ at, pod: 'frontend-2', from: 41_000 })).toBeUndefined();
    expect(read({ at, pod: 'frontend-2', from: 41_001 }, trace)).toBeDefined();
  });

  it('a pod under the policy is spoken of by its verdicts alone', () => {
    expect(readerOf({ step })({ at }, trace)).toBeUndefined();
    expect(readerOf({ step })({ at })).toMatchObject({ outcome: 'forwarded', side: 'canary' });
  });

  it('and within a node the record of the arrival is all that tells of the way out', () => {
    const source = verdictFlow('node-1').destination;
    const destination = {
      identity: 2_001,
      namespace: 'backend',
      labels: ['k8s:io.kubernetes.pod.namespace=backend'],
      pod_name: 'backend-1',
    };
    const out = { ...trace, source, destination } as unknown as Partial<Flow>;
    expect(readerOf({ step })({ at: 1_000_000 }, out)).toMatchObject({ outcome: 'forwarded', group: { direction: 'egress' } });
  });
});

describe('before the stage', () => {
  const at = 1_000_000;

  it('what was let through says how the stage decides its kind, known from traces where there are no verdicts yet', () => {
    const read = readerOf({ step });
    expect(read({ app: 'legacy', at }, trace)).toMatchObject({ outcome: 'forwarded', newly: 'denied', group: { direction: 'ingress' } });
    expect(readerOf({ step })({ at }, trace)).toMatchObject({ outcome: 'forwarded', newly: 'enforced' });
  });

  it('is not demanded again where no record of before can have the name that the candidate lets through', () => {
    const names = parsed(FULL);
    const now = compilePolicies([names]);
    const outward = (destination_port: number): Partial<Flow> => ({
      event_type: { type: 4, sub_type: 3 },
      IP: { source: '10.0.0.1', destination: '203.0.113.80' },
      l4: { TCP: { source_port: 41_000, destination_port, flags: { SYN: true } } },
      source: {
        identity: 1_000,
        namespace: 'frontend',
        pod_name: 'frontend-1',
        labels: ['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=frontend'],
      },
      destination: { identity: 2, labels: ['reserved:world'] },
      ...({ trace_observation_point: 'TO_STACK', trace_reason: 'NEW' } as object),
    });
    const step = { from: 2_000_000, before: compilePolicies([]), now, doubt: denialDoubt([names], 'frontend', true) };
    const read = readerOf({ step, cohort: undefined, compared: { before: step.before, candidate: now } });
    expect(read({ at: 1_000_000 }, outward(443))).toMatchObject({ newly: 'enforced', group: { direction: 'egress', port: 443 } });
    expect(read({ at: 1_000_000 }, outward(22))).toMatchObject({ newly: 'denied', group: { direction: 'egress', port: 22 } });
  });

  it('is known to go through a proxy under the stage; while a shadow only observes no request can show', () => {
    const whole = { ...step, now: compilePolicies([parsed(FULL)]) };
    expect(readerOf({ step: whole, cohort: undefined })({ at })).toMatchObject({ newly: 'proxied' });
    const observing = { directions: ['ingress'], marker: OP, isAll: false } as const;
    expect(readerOf({ step: whole, cohort: undefined, observing })({ at })).toMatchObject({ newly: 'enforced' });
  });

  it('is told once, however many records tell of it', () => {
    const read = readerOf({ step });
    expect(read({ at, from: 41_000 })).toBeDefined();
    expect(read({ at: at + 1, from: 41_000 }, trace)).toBeUndefined();
  });

  it('is nothing new where the stage decides it as before', () => {
    const read = readerOf({ step: { ...step, before: step.now }, cohort: undefined });
    expect(read({ at })).toMatchObject({ outcome: 'forwarded' });
    expect(readerOf({ step: { ...step, now: step.before } })({ at })).not.toHaveProperty('newly');
  });
});
