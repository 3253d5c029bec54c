import { describe, expect, test } from 'vitest';
import { connectionFlows, refusalFlows } from '../../../playground/cilium/connections/connection-flows.ts';
import { connects, isAllowed } from '../../../playground/cilium/connections/decision.ts';
import type { Stamp } from '../../../playground/cilium/connections/packet.ts';
import { hostParty, ingressParty, worldParty } from '../../../playground/cilium/connections/party.ts';
import { exchange, packetFlows } from '../../../playground/cilium/connections/traces.ts';
import { connection, member, policy, under } from './peers.ts';

const stamp: Stamp = { at: 1_000, uuid: () => 'id' };
const database = member('database', 'database', 'node-2');
const backend = member('backend', 'backend', 'node-1');
const frontend = member('frontend', 'frontend', 'node-1');

function kinds(made: ReturnType<typeof connectionFlows>): readonly string[] {
  return made.map(({ node, flow }) => `${node} ${flow.event_type.type} ${flow.traffic_direction} ${flow.verdict}`);
}

const fromBackend = { fromEndpoints: [{ matchLabels: { app: 'backend', 'k8s:io.kubernetes.pod.namespace': 'backend' } }] };
const onPort = { toPorts: [{ ports: [{ port: '5432', protocol: 'TCP' }] }] };
const derived = (what: string) => [{ name: '', labels: [`reserved:io.cilium.policy.derived-from=${what}`] }];

describe('the flows of one attempt', () => {
  test('without policies nothing is decided: a trace on each node, EGRESS where it arrives as well', () => {
    const made = connectionFlows(connection(backend, database), under()(connection(backend, database)), stamp);
    expect(kinds(made)).toEqual(['node-1 4 EGRESS FORWARDED', 'node-2 4 EGRESS FORWARDED']);
    expect(made.map(({ flow }) => flow.trace_observation_point)).toEqual(['TO_OVERLAY', 'TO_ENDPOINT']);
  });

  test('on one node the arrival is all that is seen, of the answer as well', () => {
    const within = connection(frontend, backend);
    const [, answer] = exchange;
    expect(kinds(connectionFlows(within, under()(within), stamp))).toEqual(['node-1 4 EGRESS FORWARDED']);
    const [back, ...more] = packetFlows(within, answer, stamp);
    expect([more, back?.flow]).toMatchObject([
      [],
      { trace_reason: 'REPLY', is_reply: { value: true }, destination: { pod_name: 'frontend' } },
    ]);
  });

  test('a verdict is told where a policy selects the pod, at no other end', () => {
    const open = under(policy('open', { ingress: [fromBackend] }));
    const made = connectionFlows(connection(backend, database), open(connection(backend, database)), stamp);
    expect(kinds(made)).toEqual(['node-1 4 EGRESS FORWARDED', 'node-2 5 INGRESS FORWARDED', 'node-2 4 EGRESS FORWARDED']);
    expect(made[1]?.flow).toMatchObject({ policy_log: [''], is_reply: { value: false } });
  });

  test('denied by default: verdict and drop with reason 133, and no policy to blame', () => {
    const decision = under(policy('closed', { ingress: [{ ...fromBackend, ...onPort }] }))(connection(frontend, database));
    const made = connectionFlows(connection(frontend, database), decision, stamp);
    expect(kinds(made).slice(-2)).toEqual(['node-2 5 INGRESS DROPPED', 'node-2 1 INGRESS DROPPED']);
    const said = { drop_reason: 133, drop_reason_desc: 'POLICY_DENIED' };
    expect(made.at(-2)?.flow).toMatchObject(said);
    expect(made.at(-1)?.flow).toMatchObject({ ...said, event_type: { type: 1, sub_type: 133 } });
    for (const field of ['is_reply', 'ingress_denied_by', 'policy_log', 'policy_match_type'])
      expect(made.slice(-2).some(({ flow }) => field in flow)).toBe(false);
    expect(connects(decision)).toBe(false);
  });

  test('denied by a rule: reason 181, and the policy is named', () => {
    const decision = under(
      policy('no-frontend', { ingressDeny: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'frontend' } }] }] }),
    )(connection(frontend, database));
    const [verdict, drop] = refusalFlows(connection(frontend, database), decision, stamp);
    expect(verdict?.flow).toMatchObject({
      drop_reason: 181,
      policy_match_type: 1,
      ingress_denied_by: [{ name: 'no-frontend', namespace: 'database' }],
    });
    expect(drop?.flow.event_type).toEqual({ type: 1, sub_type: 181 });
    expect(drop?.flow).not.toHaveProperty('ingress_denied_by');
  });

  test('denied at its source: nothing is seen at the other end', () => {
    const out = {
      metadata: { namespace: 'backend', name: 'out', uid: 'u' },
      kind: 'CiliumNetworkPolicy',
      spec: { endpointSelector: {}, egress: [{}] },
    };
    const decision = under(out)(connection(backend, database));
    expect(kinds(connectionFlows(connection(backend, database), decision, stamp))).toEqual([
      'node-1 5 EGRESS DROPPED',
      'node-1 1 EGRESS DROPPED',
    ]);
  });

  test('from the world there is no verdict at the source, and a node reaches its pods under default deny', () => {
    const decide = under(policy('closed', { ingress: [{}] }));
    const outside = connection(worldParty('203.0.113.9'), database);
    expect(kinds(connectionFlows(outside, decide(outside), stamp))).toEqual(['node-2 5 INGRESS DROPPED', 'node-2 1 INGRESS DROPPED']);
    const probe = connection(hostParty('node-2'), database);
    const [verdict] = connectionFlows(probe, decide(probe), stamp);
    expect(verdict?.flow).toMatchObject({ verdict: 'FORWARDED', ingress_allowed_by: derived('allow-localhost-ingress') });
  });

  test("the gateway's proxy is the entity `ingress`", () => {
    const gateway = connection(ingressParty('node-1'), database);
    expect(connects(under(policy('closed', { ingress: [fromBackend] }))(gateway))).toBe(false);
    expect(connects(under(policy('open', { ingress: [{ fromEntities: ['ingress'] }] }))(gateway))).toBe(true);
  });
});

describe('a shadow policy', () => {
  const shadow = policy('shadow', {
    enableDefaultDeny: { ingress: false, egress: false },
    log: { value: 'ro-1' },
    ingress: [{ ...fromBackend, ...onPort }],
  });

  test('names what its own rule allows, with its log value', () => {
    const made = connectionFlows(connection(backend, database), under(shadow)(connection(backend, database)), stamp);
    const verdict = made.find(({ flow }) => flow.event_type.type === 5 && flow.traffic_direction === 'INGRESS')?.flow;
    expect(verdict).toMatchObject({ verdict: 'FORWARDED', policy_match_type: 2, policy_log: ['ro-1'] });
    expect(verdict?.ingress_allowed_by).toMatchObject([
      { name: 'shadow', namespace: 'database', kind: 'CiliumNetworkPolicy', revision: 7 },
    ]);
  });

  test('what it would not allow goes through as `all`, allowed by no policy', () => {
    const made = connectionFlows(connection(frontend, database), under(shadow)(connection(frontend, database)), stamp);
    const verdict = made.find(({ flow }) => flow.event_type.type === 5 && flow.traffic_direction === 'INGRESS')?.flow;
    expect(verdict).toMatchObject({
      verdict: 'FORWARDED',
      policy_match_type: 4,
      ingress_allowed_by: derived('allow-any-ingress'),
      policy_log: [''],
    });
  });
});

describe('layer 7', () => {
  const http = { toPorts: [{ ports: [{ port: '5432', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/items' }] } }] };
  const decide = under(policy('items', { ingress: [{ ...fromBackend, ...http }] }));
  const request = (path: string) => ({ http: { method: 'GET', path, host: 'database' } });

  test('the connection is redirected to the proxy, which permits or refuses each request', () => {
    expect(decide(connection(backend, database)).ingress).toMatchObject({ verdict: 'REDIRECTED', proxy: { kind: 'http' } });
    expect(isAllowed(decide(connection(backend, database), request('/items')))).toBe(true);
    const refused = decide(connection(backend, database), request('/admin'));
    expect([connects(refused), isAllowed(refused)]).toEqual([true, false]);
  });
});
