import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createConnectionReader } from '../../../activities/policy/connections.ts';
import { GOOD } from '../../../playground/scenarios/stories/policy-candidates.ts';
import { type Flow, millisecondsOf } from '../../../src/clients/hubble/flow.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { compilePolicies } from '../../../src/domain/policy/evaluator.ts';
import { parsePolicy } from '../../../src/domain/policy/parse.ts';
import { createDropsJudge } from '../../../src/domain/policy/stages/judge.ts';
import { selects } from '../../../src/reading/policy/subject.ts';

/**
 * Recorded from both agents of Cilium 1.20.2 while the story policy-established was told on them: five connections from the backend to the
 * frontend were held open, which the candidate denies; 13 s later its shadow came into force for 10 s.
 */
const RECORDED = gunzipSync(readFileSync(new URL('../../fixtures/real-cilium/02-established.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly from: string; readonly flow: Flow & { readonly trace_reason?: string } });
const OP = 'policy-qm9d7xxb';
/** The shadow was written; the first record with its marker came 0.4 s later. */
const FROM = 1_795_956_763_300;
const TRACE = 4;

type Recorded = (typeof RECORDED)[number];

/** What the watch of the observed stage hears: out of the rings what there was before, then what comes live. */
function verdictOn(flows: readonly Recorded[]) {
  const parsed = parsePolicy(parse(GOOD) as JsonObject);
  if (!parsed.ok) throw new Error(parsed.error);
  const [before, candidate] = [compilePolicies([]), compilePolicies([parsed.policy])];
  const read = createConnectionReader({
    namespace: 'frontend',
    isSubject: (labels) => selects(parsed.policy, labels),
    cohort: undefined,
    opId: OP,
    compared: { before, candidate },
    step: { from: FROM, before, now: candidate },
    observing: { directions: ['ingress', 'egress'], marker: OP, isAll: false },
  });
  const settings = { from: FROM, accepted: [], observing: true, directions: ['ingress', 'egress'], asks: true, hearsBefore: true } as const;
  const judge = createDropsJudge(settings);
  for (const { flow, from } of flows) {
    const at = millisecondsOf(flow.time);
    const connection = read.read(flow, from, at);
    if (connection) judge.hear(connection);
  }
  judge.hear({ kind: 'before', at: FROM, unread: [] });
  return judge.conclude(FROM + 10_000);
}

/** Live, a stream tells of packets only how connections begin. */
function isHeard({ flow }: Recorded): boolean {
  return millisecondsOf(flow.time) < FROM || flow.event_type?.type !== TRACE || flow.trace_reason === 'NEW';
}

test('connections that were open before a policy selected anybody are not seen again under it: nothing is healthy', () => {
  const verdict = verdictOn(RECORDED.filter(isHeard));
  expect(verdict).toMatchObject({
    kind: 'no-traffic',
    words: expect.stringContaining('Not seen in the watch: connections from backend/backend to port 8080/TCP, which the policy denies'),
  });
});

test('only traces tell of them: an agent gives no verdict on a connection that is there, and without them silence looked healthy', () => {
  const isBackend = ({ flow }: Recorded): boolean => flow.source?.namespace === 'backend' && flow.destination?.namespace === 'frontend';
  expect(new Set(RECORDED.filter(isBackend).map(({ flow }) => flow.event_type?.type))).toEqual(new Set([TRACE]));
  expect(verdictOn(RECORDED.filter(({ flow }) => flow.event_type?.type !== TRACE)).kind).toBe('healthy');
});

test('those that had begun long before show by the packets that follow', () => {
  const isBeginning = ({ flow }: Recorded): boolean => flow.source?.namespace === 'backend' && millisecondsOf(flow.time) < FROM - 9_000;
  expect(verdictOn(RECORDED.filter((one) => isHeard(one) && !isBeginning(one)))).toMatchObject({
    kind: 'no-traffic',
    words: expect.stringContaining('connections from backend/backend'),
  });
});
