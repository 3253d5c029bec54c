import { describe, expect, it } from 'vitest';
import { ccnp, client, clientPolicy, cnp, decide, get, outside, pod, refusal, reserved, server, tcp, verdict } from './cluster.ts';

// What nobody expects of Cilium's policy engine at first sight. The cases are numbered.
const fromAnyone = { fromEntities: ['all'] };
const named = (port: string, more: object = {}) => [{ ports: [{ port, protocol: 'TCP', ...more }] }];
const icmp = (icmpType: number) => ({ protocol: 'ICMP', icmpType }) as const;
const labelled = (key: string) => ({ fromEndpoints: [{ matchExpressions: [{ key, operator: 'NotIn', values: ['nobody'] }] }] });

describe('emptiness', () => {
  it('1: an empty rule closes the direction and opens nothing; an empty deny rule closes it too', () => {
    expect(decide([cnp({ ingress: [{}] })], client, server).ingress).toMatchObject({ allowed: false, enforced: true });
    expect(decide([cnp({ ingressDeny: [{}] })], client, server).ingress).toMatchObject({ allowed: false, enforced: true });
    expect(verdict([cnp({ ingress: [fromAnyone], ingressDeny: [{}] })], client, server)).toBe('allowed');
    expect(refusal(cnp({ ingress: [] }))).toMatch(/at least one of/);
  });

  it('2: an empty list of endpoints is nobody, an empty list of names is everybody', () => {
    expect(verdict([cnp({ ingress: [{ fromEndpoints: [], toPorts: named('80') }] })], client, server)).toBe('denied');
    expect(verdict([cnp({ ingress: [{ fromEndpoints: [], fromEntities: ['all'] }] })], client, server)).toBe('denied');
    for (const member of ['toFQDNs', 'toServices', 'toGroups']) {
      expect(verdict([clientPolicy({ egress: [{ [member]: [], toPorts: named('80') }] })], client, outside())).toBe('allowed');
    }
  });

  it('3: an empty toPorts is no condition, one with an empty entry matches nothing, and http: [] is no layer 7 rule', () => {
    expect(verdict([cnp({ ingress: [{ ...fromAnyone, toPorts: [], icmps: [] }] })], client, server)).toBe('allowed');
    expect(verdict([cnp({ ingress: [{ ...fromAnyone, toPorts: [{}] }] })], client, server)).toBe('denied');
    expect(verdict([cnp({ ingress: [{ ...fromAnyone, icmps: [{}] }] })], client, server)).toBe('denied');
    const open = cnp({ ingress: [{ toPorts: [{ ports: [{ port: '80', protocol: 'UDP' }], rules: { http: [] } }] }] });
    expect(decide([open], client, server, { protocol: 'UDP', destinationPort: 80 }).ingress).not.toHaveProperty('l7');
  });

  it('4: a service that is not there opens its ports to everyone, and without ports allows nothing', () => {
    const toServices = [{ k8sService: { serviceName: 'gone', namespace: 'back' } }];
    expect(verdict([clientPolicy({ egress: [{ toServices, toPorts: named('80') }] })], client, outside())).toBe('allowed');
    expect(verdict([clientPolicy({ egress: [{ toServices }] })], client, outside())).toBe('denied');
    const there = [{ namespace: 'back', name: 'gone', selector: { app: 'server' } }];
    const policies = [clientPolicy({ egress: [{ toServices, toPorts: named('80') }] })];
    expect(verdict(policies, client, outside(), tcp(80), there)).toBe('denied');
    expect(verdict(policies, client, server, tcp(80), there)).toBe('allowed');
  });

  it('5: a deny rule for a service that is there denies its ports to everyone, and without ports nothing', () => {
    const toServices = [{ k8sService: { serviceName: 'api', namespace: 'back' } }];
    const services = [{ namespace: 'back', name: 'api', selector: { app: 'server' } }];
    const open = { egress: [{ toEntities: ['all'] }] };
    const withPorts = clientPolicy({ ...open, egressDeny: [{ toServices, toPorts: named('80') }] });
    expect(verdict([withPorts], client, outside(), tcp(80), services)).toBe('denied');
    expect(verdict([clientPolicy({ ...open, egressDeny: [{ toServices }] })], client, server, tcp(80), services)).toBe('allowed');
  });
});

describe('ports', () => {
  const ingress = (port: string, more: object = {}) => [cnp({ ingress: [{ toPorts: named(port, more) }] })];

  it('6: a leading zero is octal, and 0x50 is a name', () => {
    expect(verdict(ingress('0120'), client, server, tcp(80))).toBe('allowed');
    expect(verdict(ingress('0120'), client, server, tcp(120))).toBe('denied');
    expect(verdict(ingress('0x50'), client, server, tcp(80))).toBe('denied');
  });

  it('7: port 0 is all ports whatever the range says; a reversed range is its first port; a named port may begin a range', () => {
    expect(verdict(ingress('0', { endPort: 100 }), client, server, tcp(500))).toBe('allowed');
    expect(verdict(ingress('80', { endPort: 70 }), client, server, tcp(80))).toBe('allowed');
    expect(verdict(ingress('80', { endPort: 70 }), client, server, tcp(75))).toBe('denied');
    expect(verdict(ingress('web', { endPort: 8090 }), client, server, tcp(8085))).toBe('allowed');
    expect(verdict(ingress('web', { endPort: 8090 }), client, server, tcp(8079))).toBe('denied');
  });

  it('8: any protocol never means ICMP, no ports at all does', () => {
    expect(verdict([cnp({ ingress: [{ toPorts: [{ ports: [{ port: '0' }] }] }] })], client, server, icmp(8))).toBe('denied');
    expect(
      verdict([cnp({ ingress: [{ toPorts: [{ ports: [{ port: '0' }] }] }] })], client, server, { protocol: 'SCTP', destinationPort: 9 }),
    ).toBe('allowed');
    expect(verdict([cnp({ ingress: [fromAnyone] })], client, server, icmp(8))).toBe('allowed');
  });

  it('9: the echo reply opens every ICMP type', () => {
    const types = (type: unknown) => [cnp({ ingress: [{ icmps: [{ fields: [{ type, family: 'IPv4' }] }] }] })];
    expect(verdict(types('EchoReply'), client, server, icmp(11))).toBe('allowed');
    expect(verdict(types(0), client, server, icmp(8))).toBe('allowed');
    expect(verdict(types('EchoRequest'), client, server, icmp(11))).toBe('denied');
  });

  it('10: a named port on egress is one of the peer pod, in lower case, and the world has none', () => {
    const egress = [clientPolicy({ egress: [{ toEntities: ['all'], toPorts: named('WEB') }] })];
    expect(verdict(egress, client, server, tcp(8080))).toBe('allowed');
    expect(verdict(egress, client, outside(), tcp(8080))).toBe('denied');
  });
});

describe('peers and scope', () => {
  it('11: a namespaced policy means its own namespace, unless a key speaks of namespaces, whatever it says of them', () => {
    expect(verdict([cnp({ ingress: [{ fromEndpoints: [{}] }] })], client, server)).toBe('denied');
    expect(verdict([cnp({ ingress: [labelled('io.kubernetes.pod.namespace')] })], client, server)).toBe('allowed');
    expect(verdict([cnp({ ingress: [labelled('k8s:io.cilium.k8s.namespace.labels.env')] })], client, server)).toBe('allowed');
    expect(verdict([cnp({ ingress: [labelled('version')] })], client, server)).toBe('denied');
  });

  it('12: a reserved key lifts namespace and cluster; else peers are of the local cluster', () => {
    const west = pod('back', 'client', ['k8s:io.cilium.k8s.policy.cluster=west']);
    const ofApp = { matchLabels: { app: 'client' } };
    const anyCluster = { ...ofApp, matchExpressions: [{ key: 'io.cilium.k8s.policy.cluster', operator: 'Exists' }] };
    expect(verdict([cnp({ ingress: [{ fromEndpoints: [ofApp] }] })], west, server)).toBe('denied');
    expect(verdict([cnp({ ingress: [{ fromEndpoints: [anyCluster] }] })], west, server)).toBe('allowed');
    expect(verdict([cnp({ ingress: [labelled('reserved:host')] })], west, server)).toBe('allowed');
    expect(verdict([cnp({ ingress: [labelled('reserved:host')] })], outside(), server)).toBe('allowed');
  });

  it('13: an empty peer of a cluster-wide policy is any pod, not the world; an empty subject is health endpoints as well', () => {
    const policies = [ccnp({ endpointSelector: {}, ingress: [{ fromEndpoints: [{}] }] })];
    expect(verdict(policies, client, server)).toBe('allowed');
    expect(verdict(policies, outside(), server)).toBe('denied');
    expect(decide([ccnp({ endpointSelector: {}, ingress: [{}] })], client, reserved('health')).ingress?.enforced).toBe(true);
  });

  it('14: a policy selects in its own namespace whatever matchLabels say, but an expression can make it select nothing', () => {
    const key = 'k8s:io.kubernetes.pod.namespace';
    const overwritten = cnp({ endpointSelector: { matchLabels: { [key]: 'front' } }, ingress: [{}] });
    const nowhere = cnp({ endpointSelector: { matchExpressions: [{ key, operator: 'In', values: ['front'] }] }, ingress: [{}] });
    expect(verdict([overwritten], client, server)).toBe('denied');
    expect(decide([nowhere], client, server).ingress?.selected).toBe(false);
  });

  it('15: app and k8s:app are two conditions', () => {
    const both = (value: string) => cnp({ ingress: [{ fromEndpoints: [{ matchLabels: { app: 'client', 'k8s:app': value } }] }] });
    const neighbour = pod('back', 'client');
    expect(verdict([both('client')], neighbour, server)).toBe('allowed');
    expect(verdict([both('server')], neighbour, server)).toBe('denied');
  });

  it('where both address families are on, what is outside has the label of its family; prefixes and names match it all the same', () => {
    const to = (peers: object) => [clientPolicy({ egress: [peers] })];
    const four = { labels: ['reserved:world-ipv4'], ip: '203.0.113.7', fqdns: ['db.example.com'] };
    const six = { labels: ['reserved:world-ipv6'], ip: '2001:db8::7', fqdns: ['db.example.com'] };
    for (const [peers, v4, v6] of [
      [{ toCIDR: ['0.0.0.0/0'] }, 'allowed', 'denied'],
      [{ toCIDR: ['::/0'] }, 'denied', 'allowed'],
      [{ toCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.7/32'] }] }, 'denied', 'denied'],
      [{ toFQDNs: [{ matchName: 'db.example.com' }] }, 'allowed', 'allowed'],
      [{ toEntities: ['world'] }, 'allowed', 'allowed'],
      [{ toEntities: ['world-ipv4'] }, 'allowed', 'denied'],
    ] as const) {
      expect([verdict(to(peers), client, four), verdict(to(peers), client, six)]).toEqual([v4, v6]);
    }
  });

  it('16: prefixes mean the world only; an API server outside is world, prefix and cluster at once', () => {
    const to = (peers: object) => [clientPolicy({ egress: [peers] })];
    const everywhere = to({ toCIDR: ['0.0.0.0/0'] });
    expect(verdict(everywhere, client, server)).toBe('denied');
    expect(verdict(everywhere, client, reserved('kube-apiserver', 'remote-node'))).toBe('denied');
    const apiServer = { labels: ['reserved:kube-apiserver', 'reserved:world'], ip: '203.0.113.7' };
    for (const peers of [
      { toCIDR: ['203.0.113.0/24'] },
      { toEntities: ['world'] },
      { toEntities: ['cluster'] },
      { toEntities: ['kube-apiserver'] },
    ]) {
      expect(verdict(to(peers), client, apiServer)).toBe('allowed');
    }
  });

  it('17: an exception is a hole, in allow rules and in deny rules', () => {
    const set = [{ cidr: '203.0.113.0/24', except: ['203.0.113.7/32'] }];
    expect(verdict([clientPolicy({ egress: [{ toCIDRSet: set }] })], client, outside())).toBe('denied');
    expect(verdict([clientPolicy({ egress: [{ toCIDRSet: set }, { toCIDR: ['203.0.0.0/16'] }] })], client, outside())).toBe('allowed');
    expect(verdict([clientPolicy({ egress: [{ toEntities: ['world'] }], egressDeny: [{ toCIDRSet: set }] })], client, outside())).toBe(
      'allowed',
    );
  });

  it('18: the node reaches its pods unless it is denied; another node does not', () => {
    expect(verdict([cnp({ ingress: [{}] })], reserved('host'), server)).toBe('allowed');
    expect(verdict([cnp({ ingress: [{}], ingressDeny: [{ fromEntities: ['host'] }] })], reserved('host'), server)).toBe('denied');
    expect(verdict([cnp({ ingress: [{}] })], reserved('remote-node'), server)).toBe('denied');
  });

  it('19: an endpoint without labels yet is closed both ways with no policy at all', () => {
    expect(decide([], reserved('init'), server).egress).toMatchObject({ allowed: false, enforced: true, selected: true });
    expect(decide([], client, reserved('init')).ingress).toMatchObject({ allowed: false, enforced: true, selected: true });
  });
});

describe('default deny', () => {
  const others = { fromEndpoints: [{ matchLabels: { app: 'nobody' } }] };

  it('20: one policy that closes beats all that do not; closing a direction without a rule does nothing; deny rules close', () => {
    const open = cnp({ enableDefaultDeny: { ingress: false }, ingress: [others] }, { name: 'open', namespace: 'back' });
    expect(decide([open], client, server).ingress).toMatchObject({ allowed: true, enforced: false, selected: true });
    expect(verdict([open, cnp({ ingress: [others] })], client, server)).toBe('denied');
    expect(decide([clientPolicy({ enableDefaultDeny: { egress: true }, ingress: [{}] })], client, server).egress?.enforced).toBe(false);
    expect(verdict([cnp({ ingressDeny: [others] })], client, server)).toBe('denied');
  });

  it('21: without default deny, layer 7 rules restrict nothing', () => {
    const http = [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ path: '/a' }] } }];
    const policies = [cnp({ enableDefaultDeny: { ingress: false }, ingress: [{ toPorts: http }] })];
    expect(decide(policies, client, server, get('/b')).ingress).toMatchObject({ allowed: true, l7: 'http' });
    expect(verdict([cnp({ ingress: [{ toPorts: http }] })], client, server, get('/b'))).toBe('denied');
  });
});
