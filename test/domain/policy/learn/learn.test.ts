import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { lintText } from '../../../../src/documents/lint.ts';
import { dryRun } from '../../../../src/domain/policy/dryrun/dry-run.ts';
import { learnPolicy } from '../../../../src/domain/policy/learn/learn.ts';
import { parsePolicy } from '../../../../src/domain/policy/parse.ts';
import { API, BACKEND, DATABASE, DNS, FRONTEND, HOST, INGRESS, policy, record, type Told, WORLD } from '../dryrun/lines.ts';

function learn(...told: readonly Told[]) {
  return learnPolicy({ flows: record(...told), namespace: 'backend', name: 'backend', selector: { app: 'backend' } });
}
const out = (told: Partial<Told> & Pick<Told, 'to'>): Told => ({ from: BACKEND, direction: 'EGRESS', ...told });

test('the proposal is what a careful person would write', () => {
  const learned = learn(
    { from: FRONTEND, to: BACKEND },
    { from: FRONTEND, to: BACKEND, sourcePort: 2 },
    { from: INGRESS, to: BACKEND },
    { from: DATABASE, to: BACKEND, verdict: 'DROPPED' },
    out({ to: DNS, port: 53, udp: true }),
    out({ to: WORLD(), port: 443, names: ['api.example.com'] }),
    out({ to: WORLD('198.51.100.7'), port: 443 }),
  );
  expect(learned).toMatchObject({ connections: 6, denied: 1 });
  expect(learned.policy?.yaml).toBe(`# Proposed from 6 connections that were seen, 2026-01-01T12:00:00.000Z to 2026-01-01T12:00:00.000Z.
# What was not seen is not allowed: read it before you use it.
# Left out: 1 that were denied when they were seen.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: backend
  namespace: backend
spec:
  endpointSelector:
    matchLabels:
      app: backend
  ingress:
    # frontend/frontend: 2 to 8080/TCP
    - fromEndpoints:
        - matchLabels:
            app: frontend
            k8s:io.kubernetes.pod.namespace: frontend
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
    # ingress: 1 to 8080/TCP
    - fromEntities:
        - ingress
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
  egress:
    # kube-system/coredns: 1 to 53/UDP
    - toEndpoints:
        - matchLabels:
            app: coredns
            k8s:io.kubernetes.pod.namespace: kube-system
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
              - matchPattern: "*"
    # api.example.com: 1 to 443/TCP
    - toFQDNs:
        - matchName: api.example.com
      toPorts:
        - ports:
            - port: "443"
              protocol: TCP
    # 198.51.100.7/32: 1 to 443/TCP
    - toCIDR:
        - "198.51.100.7/32"
      toPorts:
        - ports:
            - port: "443"
              protocol: TCP
`);
});

describe('what is kept and what is said', () => {
  test('a direction in which nothing was seen stays open, and the text says so', () => {
    const { policy: proposed } = learn({ from: FRONTEND, to: BACKEND });
    expect(proposed?.document).toHaveProperty('spec.ingress');
    expect(proposed?.document).not.toHaveProperty('spec.egress');
    expect(proposed?.yaml).toContain('# No egress was seen, so it stays open.');
  });

  test('names need DNS, also where no query was seen', () => {
    expect(learn(out({ to: WORLD(), port: 443, names: ['api.example.com.'] })).policy?.yaml).toContain('k8s-app: kube-dns');
  });

  test('nothing seen is no policy', () => {
    expect(learn({ from: FRONTEND, to: DATABASE })).toMatchObject({ policy: undefined, connections: 0 });
  });
});

test('whatever was seen and let through: the proposal passes the lint and drops nothing of it', () => {
  const peers = [
    FRONTEND,
    DATABASE,
    DNS,
    HOST,
    INGRESS,
    API,
    WORLD(),
    WORLD('198.51.100.7'),
    { ...FRONTEND, labels: FRONTEND.labels.slice(1) },
  ];
  const names = fc.option(fc.constantFrom(['api.example.com'], ['Other.example.com.', 'api.example.com'], ['we ird']), { nil: undefined });
  const told = fc
    .record({
      peer: fc.constantFrom(...peers),
      outward: fc.boolean(),
      port: fc.oneof(fc.constantFrom(53, 80, 443, 8080), fc.integer({ min: 1, max: 65_535 })),
      sourcePort: fc.integer({ min: 1, max: 65_535 }),
      udp: fc.boolean(),
      event: fc.constantFrom(4 as const, 5 as const),
      names,
      request: fc.constantFrom({}, { http: { method: 'GET', url: '/a' } }),
      icmp: fc.constantFrom(undefined, undefined, undefined, 0, 8),
    })
    .map(({ peer, outward, request, names: known, icmp, ...rest }): Told => {
      const ends = outward ? out({ to: peer }) : { from: peer, to: BACKEND };
      const more = icmp === undefined ? {} : { more: { l4: { ICMPv4: { type: icmp } } } };
      return {
        ...ends,
        ...rest,
        ...(rest.udp || icmp !== undefined ? {} : request),
        ...(known && outward ? { names: known } : {}),
        ...more,
      };
    });
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 60 }), (all) => {
      // All of them were answered: a port that nobody answers is none that is used.
      const flows = record(...all, ...all.map(answerTo));
      const {
        policy: proposed,
        unanswered,
        contradicted,
      } = learnPolicy({ flows, namespace: 'backend', name: 'backend', selector: { app: 'backend' } });
      expect({ unanswered, contradicted }).toEqual({ unanswered: 0, contradicted: 0 });
      if (!proposed) return;
      expect(parse(proposed.yaml)).toEqual(proposed.document);
      expect(lintText(proposed.yaml).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      const parsed = parsePolicy(proposed.document);
      if (!parsed.ok) throw new Error(parsed.error);
      const run = dryRun({
        flows,
        inForce: [
          policy('backend', 'old', {
            endpointSelector: {},
            enableDefaultDeny: { ingress: false, egress: false },
            ingress: [{}],
            egress: [{}],
          }),
        ],
        candidate: parsed.policy,
      });
      expect(run.wouldDrop).toEqual([]);
      expect(run.unknown).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

function answerTo({ from, to, port = 8080, sourcePort = 40_000, udp = false }: Told): Told {
  return { from: to, to: from, port: sourcePort, sourcePort: port, udp, reply: true, event: 4 };
}
