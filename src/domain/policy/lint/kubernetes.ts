// A NetworkPolicy of Kubernetes, as Cilium enforces it.
import { parsePolicy } from '../parse.ts';
import type { LintContext } from './finding.ts';
import { grantsFor } from './grants.ts';
import { fix, replace } from './rule.ts';
import { misfits } from './rules/types.ts';
import { unknownFields } from './rules/unknown-field.ts';
import type { Said } from './said.ts';
import { KUBERNETES_SHAPE } from './schema.ts';
import { asList, asRecord, type Located, type PolicyView, type Raw, records } from './view.ts';

/** The rules for this kind, for the list of all rules. */
export const KUBERNETES_RULES = [
  { id: 'ignored-direction', severity: 'error', title: 'Rules in a direction that policyTypes leaves out do nothing' },
  { id: 'split-peer', severity: 'warning', title: 'Two entries are alternatives, not one peer' },
] as const;

export function lintKubernetes(object: Located<Raw>, context: LintContext): readonly Said[] {
  const spec = asRecord(object.value['spec']);
  const said = [
    ...unknownFields(object.value, object.path, KUBERNETES_SHAPE).map((draft) => ({
      rule: 'unknown-field',
      severity: 'error' as const,
      ...draft,
    })),
    ...misfits(object.value, object.path, KUBERNETES_SHAPE).map((draft) => ({ rule: 'schema', severity: 'error' as const, ...draft })),
  ];
  if (!spec) return said;
  const located = { path: [...object.path, 'spec'], value: spec };
  return [
    ...said,
    ...ignoredDirections(located),
    ...splitPeers(located),
    ...withoutDns(object, located, context),
    ...invalid(object, said),
  ];
}

function typesOf(spec: Raw): readonly unknown[] {
  const given = asList(spec['policyTypes']);
  return given.length > 0 ? given : ['Ingress', ...(asList(spec['egress']).length > 0 ? ['Egress'] : [])];
}

function ignoredDirections({ path, value }: Located<Raw>): readonly Said[] {
  return (['Ingress', 'Egress'] as const)
    .filter((type) => asList(value[type.toLowerCase()]).length > 0 && !typesOf(value).includes(type))
    .map((type) => ({
      rule: 'ignored-direction',
      severity: 'error',
      path: [...path, type.toLowerCase()],
      happens: `policyTypes leaves ${type} out: these rules do nothing, and ${type.toLowerCase()} stays open.`,
      instead: `Add ${type} to policyTypes.`,
      fix: fix(
        `Deny ${type.toLowerCase()} but for these rules`,
        replace([...path, 'policyTypes'], [...asList(value['policyTypes']), type]),
      ),
    }));
}

function splitPeers(spec: Located<Raw>): readonly Said[] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    records(spec, direction).flatMap((rule) => {
      const peers = records(rule, direction === 'ingress' ? 'from' : 'to');
      return peers.flatMap((peer, index): readonly Said[] => {
        const before = peers[index - 1];
        const isSplit =
          before?.value['namespaceSelector'] &&
          !before.value['podSelector'] &&
          peer.value['podSelector'] &&
          !peer.value['namespaceSelector'];
        if (!isSplit) return [];
        return [
          {
            rule: 'split-peer',
            severity: 'warning',
            path: peer.path,
            happens:
              "The dash before `podSelector` begins a peer of its own: all pods of the namespaces above, and besides them these pods of the policy's own namespace.",
            instead: 'If these pods in those namespaces are meant, take the dash away. If both are meant, all is well.',
          },
        ];
      });
    }),
  );
}

function withoutDns(object: Located<Raw>, { path, value }: Located<Raw>, context: LintContext): readonly Said[] {
  const rules = asList(value['egress']);
  if (!typesOf(value).includes('Egress') || rules.length === 0 || rules.some(admitsDnsPort)) return [];
  const policy = { value: object.value, clusterwide: false, namespace: namespaceOf(object.value) } as PolicyView;
  const subject = { policy, value: { endpointSelector: value['podSelector'] ?? {} }, path, rules: [] };
  if (grantsFor(subject, context).length > 0) return [];
  return [
    {
      rule: 'egress-without-dns',
      severity: 'warning',
      path: [...path, 'egress'],
      happens:
        'Egress is denied by default and no rule allows DNS: unless another policy does, these pods resolve no name at all, cluster Services included.',
      instead: 'Allow port 53 to the cluster DNS.',
    },
  ];
}

/** Whether one egress rule lets port 53 through. Total. */
export function admitsDnsPort(rule: unknown): boolean {
  const ports = asList(asRecord(rule)?.['ports']).map(asRecord);
  return (
    ports.length === 0 ||
    ports.some((one) => {
      const from = Number(one?.['port'] ?? 53);
      const isDns = [53, 5353].some((port) => from === port || (from <= port && port <= Number(one?.['endPort'] ?? from)));
      return (isDns || /dns/.test(String(one?.['port']))) && one?.['protocol'] !== 'SCTP';
    })
  );
}

export function namespaceOf(object: Raw): string | undefined {
  const namespace = asRecord(object['metadata'])?.['namespace'];
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

function invalid(object: Located<Raw>, said: readonly Said[]): readonly Said[] {
  const parsed = parsePolicy(object.value);
  if (parsed.ok || said.some(({ rule }) => rule === 'schema')) return [];
  return [
    {
      rule: 'invalid',
      severity: 'error',
      path: object.path,
      happens: `The server refuses the policy: ${parsed.error}.`,
      instead: 'Correct what the message names; nothing of this policy works before.',
    },
  ];
}
