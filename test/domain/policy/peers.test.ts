import { describe, expect, it } from 'vitest';
import { ccnp, client, clientPolicy, decide, outside, pod, reserved, server, tcp, verdict } from './cluster.ts';

describe('toServices', () => {
  const to = (reference: object, more: object = {}) => [clientPolicy({ egress: [{ toServices: [reference], ...more }] })];
  const api = { namespace: 'back', name: 'api', labels: { tier: 'logic' }, selector: { app: 'server' } };
  const list = { namespace: 'back', name: 'list', backends: ['203.0.113.7'] };
  const named = { k8sService: { serviceName: 'api', namespace: 'back' } };

  it('means the pods that the service selects, in its own namespace and the local cluster', () => {
    expect(verdict(to(named), client, server, tcp(80), [api])).toBe('allowed');
    expect(verdict(to(named), client, pod('front', 'server'), tcp(80), [api])).toBe('denied');
    expect(verdict(to(named), client, pod('back', 'server', ['k8s:io.cilium.k8s.policy.cluster=west']), tcp(80), [api])).toBe('denied');
  });

  it('means the addresses of a service without a selector', () => {
    const reference = { k8sService: { serviceName: 'list', namespace: 'back' } };
    expect(verdict(to(reference), client, outside('203.0.113.7'), tcp(80), [api, list])).toBe('allowed');
    expect(verdict(to(reference), client, outside('203.0.113.8'), tcp(80), [api, list])).toBe('denied');
  });

  it('looks in the named namespace, or in all of them', () => {
    const elsewhere = { ...api, namespace: 'front', selector: { app: 'other' } };
    const other = pod('front', 'other');
    expect(verdict(to(named), client, other, tcp(80), [api, elsewhere])).toBe('denied');
    expect(verdict(to({ k8sService: { serviceName: 'api' } }), client, other, tcp(80), [api, elsewhere])).toBe('allowed');
  });

  it('finds services by their labels, whatever source the keys are written with', () => {
    const by = (selector: object) => to({ k8sServiceSelector: { selector, namespace: 'back' } });
    expect(verdict(by({ matchLabels: { tier: 'logic' } }), client, server, tcp(80), [api])).toBe('allowed');
    expect(verdict(by({ matchLabels: { 'k8s:tier': 'logic' } }), client, server, tcp(80), [api])).toBe('allowed');
    expect(verdict(by({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['data'] }] }), client, server, tcp(80), [api])).toBe(
      'allowed',
    );
    expect(verdict(by({ matchLabels: { tier: 'data' } }), client, server, tcp(80), [api])).toBe('denied');
    expect(verdict(by({}), client, server, tcp(80), [api])).toBe('allowed');
  });

  it('fills a list of endpoints that was written empty', () => {
    expect(verdict(to(named, { toEndpoints: [] }), client, server, tcp(80), [api])).toBe('allowed');
    expect(verdict(to(named, { toEndpoints: [] }), client, server, tcp(80), [])).toBe('denied');
    expect(verdict(to(named, { toEntities: [] }), client, server, tcp(80), [api])).toBe('denied');
  });
});

describe('nodes', () => {
  it('are not reached just because they reach their pods', () => {
    expect(verdict([clientPolicy({ egress: [{}] })], client, reserved('host'))).toBe('denied');
  });

  it('have policies of their own, which never select a pod', () => {
    expect(decide([ccnp({ nodeSelector: {}, ingress: [{}] })], client, server).ingress).toMatchObject({ allowed: true, selected: false });
  });
});

describe('a named port on egress', () => {
  it('is one port, with an endPort too', () => {
    const policies = [clientPolicy({ egress: [{ toPorts: [{ ports: [{ port: 'web', endPort: 9_000, protocol: 'TCP' }] }] }] })];
    expect(verdict(policies, client, server, tcp(8080))).toBe('allowed');
    expect(verdict(policies, client, server, tcp(8081))).toBe('denied');
  });
});
