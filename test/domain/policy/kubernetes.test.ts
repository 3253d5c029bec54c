import { describe, expect, it } from 'vitest';
import { client, clientPolicy, cnp, decide, outside, pod, refusal, reserved, server, tcp, verdict } from './cluster.ts';

// Kubernetes NetworkPolicies, after the examples of https://kubernetes.io/docs/concepts/services-networking/network-policies/.
function np(spec: object, metadata: object = { name: 'np', namespace: 'back' }) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: { podSelector: { matchLabels: { app: 'server' } }, ...spec },
  };
}
const from = (...peers: readonly object[]) => [np({ ingress: [{ from: peers }] })];
const neighbour = pod('back', 'client');

describe('a NetworkPolicy', () => {
  it('closes only the directions of its policyTypes', () => {
    expect(decide([np({ policyTypes: ['Ingress'] })], client, server).ingress).toMatchObject({ allowed: false, enforced: true });
    expect(decide([np({ policyTypes: ['Ingress'] })], server, client).egress).toMatchObject({ allowed: true, selected: false });
    expect(decide([np({ policyTypes: ['Egress'] })], server, client).egress).toMatchObject({ allowed: false, enforced: true });
    expect(decide([np({ policyTypes: ['Egress'] })], client, server).ingress).toMatchObject({ allowed: true, selected: false });
    expect(decide([np({ policyTypes: ['Ingress', 'Egress'] })], server, pod('back', 'server')).verdict).toBe('denied');
  });

  it('without policyTypes is for ingress, and for egress where it has egress rules', () => {
    expect(decide([np({})], client, server).ingress?.enforced).toBe(true);
    expect(decide([np({ policyTypes: [] })], client, server).ingress?.enforced).toBe(true);
    expect(decide([np({})], server, client).egress?.enforced).toBe(false);
    expect(decide([np({ egress: [{}] })], server, client).egress).toMatchObject({ allowed: true, enforced: true });
    expect(decide([np({ policyTypes: ['Ingress'], egress: [{}] })], server, client).egress?.enforced).toBe(false);
  });

  it('with an empty rule allows everything, the world too', () => {
    expect(verdict([np({ ingress: [{}] })], outside(), server)).toBe('allowed');
    expect(verdict([np({ ingress: [{ from: [], ports: [] }] })], outside(), server)).toBe('allowed');
  });

  it('with an empty podSelector selects every pod of its namespace', () => {
    const policies = [np({ podSelector: {}, policyTypes: ['Ingress'] })];
    expect(verdict(policies, client, pod('back', 'other'))).toBe('denied');
    expect(verdict(policies, server, client)).toBe('allowed');
  });

  it('means pods of its own namespace by a podSelector alone', () => {
    const pods = { podSelector: { matchLabels: { app: 'client' } } };
    expect(verdict(from(pods), neighbour, server)).toBe('allowed');
    expect(verdict(from(pods), client, server)).toBe('denied');
    expect(verdict(from({ podSelector: {} }), client, server)).toBe('denied');
    expect(verdict(from({ podSelector: {} }), pod('back', 'x'), server)).toBe('allowed');
  });

  it('means all pods of the selected namespaces by a namespaceSelector alone, and never the world', () => {
    expect(verdict(from({ namespaceSelector: { matchLabels: { team: 'front' } } }), client, server)).toBe('allowed');
    expect(verdict(from({ namespaceSelector: { matchLabels: { team: 'front' } } }), neighbour, server)).toBe('denied');
    expect(verdict(from({ namespaceSelector: {} }), client, server)).toBe('allowed');
    expect(verdict(from({ namespaceSelector: {} }), outside(), server)).toBe('denied');
    const not = { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['front'] }] };
    expect(verdict(from({ namespaceSelector: not }), client, server)).toBe('denied');
  });

  it('wants both of a peer that has both selectors, and one of two peers', () => {
    const namespaces = { namespaceSelector: { matchLabels: { team: 'front' } } };
    const pods = { podSelector: { matchLabels: { app: 'client' } } };
    const both = from({ ...namespaces, ...pods });
    const either = from(namespaces, pods);
    const other = pod('front', 'other');
    expect([client, neighbour, other].map((source) => verdict(both, source, server))).toEqual(['allowed', 'denied', 'denied']);
    expect([client, neighbour, other].map((source) => verdict(either, source, server))).toEqual(['allowed', 'allowed', 'allowed']);
  });

  it('cuts its exceptions out of an ipBlock, which never means pods', () => {
    const block = { ipBlock: { cidr: '172.17.0.0/16', except: ['172.17.1.0/24'] } };
    expect(verdict(from(block), outside('172.17.2.9'), server)).toBe('allowed');
    expect(verdict(from(block), outside('172.17.1.9'), server)).toBe('denied');
    expect(verdict(from({ ipBlock: { cidr: '10.0.0.0/8' } }), client, server)).toBe('denied');
  });

  it('names ports by number, range or name, TCP unless it says otherwise', () => {
    const ports = (...list: readonly object[]) => [np({ ingress: [{ ports: list }] })];
    const udp = (destinationPort: number) => ({ protocol: 'UDP', destinationPort }) as const;
    expect(verdict(ports({ port: 6379 }), client, server, tcp(6379))).toBe('allowed');
    expect(verdict(ports({ port: 6379 }), client, server, udp(6379))).toBe('denied');
    expect(verdict(ports({ port: 32_000, endPort: 32_768 }), client, server, tcp(32_500))).toBe('allowed');
    expect(verdict(ports({ port: 32_000, endPort: 32_768 }), client, server, tcp(32_769))).toBe('denied');
    expect(verdict(ports({ port: 'web' }), client, server, tcp(8080))).toBe('allowed');
    expect(verdict(ports({ port: 'web' }), client, server, tcp(80))).toBe('denied');
    expect(verdict(ports({ protocol: 'UDP' }), client, server, udp(1))).toBe('allowed');
    expect(verdict(ports({ protocol: 'UDP' }), client, server, tcp(1))).toBe('denied');
  });

  it('is one union with the other policies of a pod: allow rules of each add up, and a Cilium deny rule beats them', () => {
    const mine = np({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'front' } } }] }] });
    const cilium = cnp({ ingress: [{ fromEntities: ['world'] }] });
    expect(verdict([mine, cilium], client, server)).toBe('allowed');
    expect(verdict([mine, cilium], outside(), server)).toBe('allowed');
    expect(verdict([mine], outside(), server)).toBe('denied');
    expect(verdict([mine, cnp({ ingressDeny: [{ fromEntities: ['cluster'] }] })], client, server)).toBe('denied');
    const open = clientPolicy({ enableDefaultDeny: { egress: false }, egress: [{}] });
    const closed = np({ podSelector: {}, policyTypes: ['Egress'] }, { name: 'np', namespace: 'front' });
    expect(verdict([open], client, server)).toBe('allowed');
    expect(verdict([open, closed], client, server)).toBe('denied');
  });

  it('lets the node reach its pods, and is of namespace default where it names none', () => {
    expect(verdict([np({ policyTypes: ['Ingress'] })], reserved('host'), server)).toBe('allowed');
    const nowhere = np({ policyTypes: ['Ingress'] }, { name: 'np' });
    expect(verdict([nowhere], client, server)).toBe('allowed');
    expect(verdict([nowhere], client, pod('default', 'server'))).toBe('denied');
  });

  it.each([
    ['an unknown policy type', { policyTypes: ['Both'] }, /sanitize: .*neither Ingress nor Egress/],
    ['an empty peer', { ingress: [{ from: [{}] }] }, /must have podSelector/],
    ['a block beside a selector', { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }] }] }, /beside a selector/],
    ['a block that is no prefix', { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.1' } }] }] }, /not a prefix/],
    ['an exception that is the block', { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }] }] }, /strictly/],
    ['a range that ends before it begins', { ingress: [{ ports: [{ port: 80, endPort: 70 }] }] }, /between 80 and 65535/],
    ['a range from a name', { ingress: [{ ports: [{ port: 'web', endPort: 90 }] }] }, /numeric port/],
    ['a protocol it does not know', { ingress: [{ ports: [{ port: 80, protocol: 'ICMP' }] }] }, /none of TCP/],
    ['a port out of range', { ingress: [{ ports: [{ port: 70_000 }] }] }, /between 1 and 65535/],
    ['a list that is none', { ingress: {} }, /^decode/],
  ])('is refused with %s', (_, spec, words) => {
    expect(refusal(np(spec))).toMatch(words);
  });
});
