import { expect, test } from 'vitest';
import { createDropsJudge } from '../../src/domain/policy/stages/judge.ts';
import { renderRoot } from '../../src/messages/message.ts';
import { AT, gate, stages, view } from './views.ts';

/** What a shadow heard: a client that the policy does not know, and a request that it refuses. */
function found() {
  const judge = createDropsJudge({ from: AT, accepted: [], observing: true, directions: ['ingress'], asks: true });
  const base = { kind: 'connection', seenAt: AT, side: 'canary', outcome: 'would-drop', cause: 'candidate', address: '' } as const;
  const group = { peer: { kind: 'cluster', name: 'external/external' }, direction: 'ingress', protocol: 'TCP', port: 8080 } as const;
  const example = 'external/external-1 → frontend/frontend-1, port 8080/TCP';
  for (let n = 0; n < 7; n++) judge.hear({ ...base, at: AT + n, group, example });
  const refused = {
    peer: { kind: 'world', name: 'world' },
    direction: 'ingress',
    protocol: 'TCP',
    port: 8080,
    where: '203.0.113.9',
    request: 'DELETE /admin',
  } as const;
  judge.hear({ ...base, at: AT + 9, group: refused, example: '203.0.113.9 → frontend/frontend-1, port 8080/TCP, DELETE /admin' });
  const verdict = judge.conclude(AT + 60_000);
  if (verdict.kind !== 'doubtful') throw new Error(verdict.words);
  return verdict;
}

test('the question about what a shadow found shows exactly what is accepted: peers, ports, requests, and how many', () => {
  const verdict = found();
  const accepts = verdict.doubts;
  const open = gate({ kind: 'hold', accepts, quorum: 1 });
  const shown = renderRoot(view('holding', { verb: 'policy', gate: open, verdict, stages: stages('held') } as never));
  const sections = (shown.blocks as { readonly text?: { readonly text: string } }[]).flatMap(({ text }) => text?.text ?? []);
  expect(sections.find((text) => text.startsWith('*To be accepted'))).toBe(
    [
      '*To be accepted, exactly these; more is asked again:*',
      '•  7 connections from external/external to port 8080/TCP (such as external/external-1 → frontend/frontend-1, port 8080/TCP); up to 21 in each step',
      '•  1 request from 203.0.113.9 to port 8080/TCP, DELETE /admin (such as 203.0.113.9 → frontend/frontend-1, port 8080/TCP, DELETE /admin); up to 10 in each step',
    ].join('\n'),
  );
  expect(accepts.map(({ key }) => key)).toEqual(['ingress/external/external/8080/TCP', 'ingress/world:203.0.113.9/8080/TCP#DELETE:/admin']);
  // Nothing else: neither another address, nor another request, nor more of them.
  const next = (change: object) => {
    const limits = Object.fromEntries(accepts.map(({ key, most }) => [key, most ?? 0]));
    const judge = createDropsJudge({
      from: AT,
      accepted: accepts.map(({ key }) => key),
      limits,
      observing: false,
      directions: ['ingress'],
      asks: true,
    });
    const group = {
      peer: { kind: 'world', name: 'world' },
      direction: 'ingress',
      protocol: 'TCP',
      port: 8080,
      where: '203.0.113.9',
      request: 'DELETE /admin',
      ...change,
    } as const;
    const event = {
      kind: 'connection',
      seenAt: AT,
      side: 'canary',
      outcome: 'dropped',
      cause: 'candidate',
      address: '203.0.113.9',
      group,
      example: '',
    } as const;
    return { judge, hear: (at: number) => judge.hear({ ...event, at }) };
  };
  for (const [change, kind] of [
    [{}, 'healthy'],
    [{ where: '203.0.113.10' }, 'doubtful'],
    [{ request: 'DELETE /users' }, 'doubtful'],
    [{ port: 9090 }, 'doubtful'],
  ] as const) {
    const { judge, hear } = next(change);
    hear(AT + 1);
    expect(judge.conclude(AT + 60_000).kind).toBe(kind);
  }
  const more = next({});
  for (let n = 0; n <= 10; n++) more.hear(AT + n);
  expect(more.judge.conclude(AT + 60_000).kind).toBe('doubtful');
});
