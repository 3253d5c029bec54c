// Which pods are meant: labels, namespaces, and their prefixes.
import type { Path } from '../finding.ts';
import { member } from '../peers.ts';
import { type Check, type Draft, fix, type LintRule, move, perRule, remove, replace } from '../rule.ts';
import { asList, asRecord, child, type Located, type Raw, records } from '../view.ts';

const POD_NAMESPACE = 'k8s:io.kubernetes.pod.namespace';

export const namespaceSelector: LintRule = {
  id: 'namespace-selector',
  severity: 'error',
  title: 'Peers have no namespaceSelector: namespaces are labels',
  check: perRule((rule) =>
    records(rule, member(rule, 'Endpoints')).flatMap((peer) =>
      ['namespaceSelector', 'podSelector']
        .filter((key) => key in peer.value && !(key === 'podSelector' && 'namespaceSelector' in peer.value))
        .map((key): Draft => {
          const own = rule.spec.policy.clusterwide ? 'in every namespace' : "in the policy's own namespace only";
          const right = translated(peer);
          return {
            path: [...peer.path, key],
            also: [[...peer.path, 'podSelector']],
            happens: `There is no \`${key}\`: the server drops it, and the peer means the pods that the rest selects ${own}. The namespaces named here are ${rule.spec.policy.clusterwide ? 'not looked at' : 'kept out'}.`,
            instead: `\`matchLabels: {"${POD_NAMESPACE}": <name>, …}\`, or \`k8s:io.cilium.k8s.namespace.labels.<label>\` for a label of the namespace.`,
            ...(right ? { fix: fix('The namespace as labels of the peer', replace(peer.path, right)) } : {}),
          };
        }),
    ),
  ),
};

/** The peer in Cilium's form; `undefined` if two keys would collide. */
export function translated(peer: Located<Raw>): Raw | undefined {
  const space = child(peer, 'namespaceSelector');
  const pods = child(peer, 'podSelector');
  const spaceLabels = Object.entries(asRecord(space?.value['matchLabels']) ?? {}).map(
    ([key, value]) => [namespaceKey(key), value] as const,
  );
  const labels = [
    ...Object.entries(asRecord(pods?.value['matchLabels']) ?? {}),
    ...Object.entries(asRecord(peer.value['matchLabels']) ?? {}),
    ...spaceLabels,
  ];
  if (new Set(labels.map(([key]) => key)).size < labels.length) return undefined;
  const expressions = asList(space?.value['matchExpressions']).map((one) => {
    const given = asRecord(one) ?? {};
    return { ...given, key: namespaceKey(String(given['key'])) };
  });
  // `namespaceSelector: {}` means all namespaces.
  const all = space && spaceLabels.length === 0 && expressions.length === 0 ? [{ key: POD_NAMESPACE, operator: 'Exists' }] : [];
  const matchExpressions = [...asList(pods?.value['matchExpressions']), ...asList(peer.value['matchExpressions']), ...expressions, ...all];
  return {
    ...(labels.length > 0 ? { matchLabels: Object.fromEntries(labels) } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

function namespaceKey(key: string): string {
  return key === 'kubernetes.io/metadata.name' ? POD_NAMESPACE : `k8s:io.cilium.k8s.namespace.labels.${key}`;
}

/** Every selector of the policy, with its matchLabels. */
function perLabels(check: (labels: Readonly<Record<string, unknown>>, path: Path) => readonly Draft[]): Check {
  return (policy) =>
    policy.specs.flatMap((spec) => {
      const subjects = ['endpointSelector', 'nodeSelector'].flatMap((key) => child(spec, key) ?? []);
      const peers = spec.rules.flatMap((rule) => ['Endpoints', 'Nodes'].flatMap((name) => records(rule, member(rule, name))));
      return [...subjects, ...peers].flatMap((selector) => {
        const labels = child(selector, 'matchLabels');
        return labels ? check(labels.value, labels.path) : [];
      });
    });
}

export const anyCollision: LintRule = {
  id: 'any-collision',
  severity: 'error',
  title: '`x` and `any:x` are the same key: one is lost at random',
  check: perLabels((labels, path) =>
    Object.keys(labels)
      .filter((key) => key.startsWith('any:') && Object.hasOwn(labels, key.slice(4)))
      .map((key) => {
        const bare = key.slice(4);
        return {
          path: [...path, key],
          happens: `\`${bare}\` and \`${key}\` are the same key to Cilium: it keeps one of the two at random, anew on each agent.`,
          instead: `Keep one of them. If both values are meant: \`matchExpressions: [{key: ${bare}, operator: In, values: […]}]\`.`,
          ...(labels[key] === labels[bare] ? { fix: fix(`Keep \`${bare}\``, remove([...path, key])) } : {}),
        };
      }),
  ),
};

export const mixedPrefix: LintRule = {
  id: 'mixed-prefix',
  severity: 'warning',
  title: '`app` and `k8s:app` are two conditions',
  check: perLabels((labels, path) =>
    Object.keys(labels)
      .filter((key) => key.startsWith('k8s:') && (Object.hasOwn(labels, key.slice(4)) || Object.hasOwn(labels, `any:${key.slice(4)}`)))
      .map((key) => {
        const bare = Object.hasOwn(labels, key.slice(4)) ? key.slice(4) : `any:${key.slice(4)}`;
        const same = labels[key] === labels[bare];
        return {
          path: [...path, key],
          happens: `\`${bare}\` and \`${key}\` are two conditions on the same label: ${same ? 'one is superfluous' : 'no pod meets both, so nothing is selected'}.`,
          instead: 'Keep one of them.',
          ...(same ? { fix: fix(`Keep \`${key}\``, remove([...path, bare])) } : {}),
        };
      }),
  ),
};

const SUBJECT_NAMESPACE = [POD_NAMESPACE, 'io.kubernetes.pod.namespace', 'any:io.kubernetes.pod.namespace'];

export const selectorNamespace: LintRule = {
  id: 'selector-namespace',
  severity: 'error',
  title: 'A policy selects pods of its own namespace only',
  check: (policy) =>
    policy.specs.flatMap((spec) => {
      const selector = child(spec, 'endpointSelector');
      const labels = selector && child(selector, 'matchLabels');
      if (!selector || policy.clusterwide || policy.namespace === undefined) return [];
      const byExpression = records(selector, 'matchExpressions').filter(({ value }) => excludes(value, policy.namespace ?? ''));
      const contradicted = byExpression.map(
        ({ path }): Draft => ({
          path,
          happens: `Cilium adds the policy's own namespace \`${policy.namespace}\`, which this leaves out: the policy selects nothing.`,
          instead: 'Put the policy into the namespace that is meant, or use a CiliumClusterwideNetworkPolicy.',
        }),
      );
      if (!labels) return contradicted;
      const byLabel = Object.entries(labels.value)
        .filter(([key, value]) => SUBJECT_NAMESPACE.includes(key) && value !== (policy.namespace ?? value))
        .map(([key, value]) => ({
          path: [...labels.path, key],
          happens:
            key === POD_NAMESPACE
              ? `Cilium overwrites this with the policy's own namespace: pods of \`${policy.namespace}\` are selected, not of \`${String(value)}\`.`
              : `Cilium adds the policy's own namespace \`${policy.namespace}\`: no pod is in both, so the policy selects nothing.`,
          instead: 'Put the policy into that namespace, or use a CiliumClusterwideNetworkPolicy.',
        }));
      return [...contradicted, ...byLabel];
    }),
};

/** Whether an expression on the namespace leaves this one out. */
function excludes(expression: Raw, namespace: string): boolean {
  const { key, operator } = expression;
  if (!SUBJECT_NAMESPACE.includes(String(key))) return false;
  const isIn = asList(expression['values']).includes(namespace);
  return operator === 'In' ? !isIn : operator === 'NotIn' ? isIn : operator === 'DoesNotExist';
}

const NAME_OF_NAMESPACE = /^((k8s|any):)?kubernetes\.io\/metadata\.name$/;

export const namespaceLabel: LintRule = {
  id: 'namespace-label',
  severity: 'error',
  title: 'kubernetes.io/metadata.name is a label of namespaces, not of pods',
  check: perLabels((labels, path) =>
    Object.keys(labels)
      .filter((key) => NAME_OF_NAMESPACE.test(key))
      .map((key) => ({
        path: [...path, key],
        happens: 'This label is on the namespace. No pod has it, so the selector selects nothing.',
        instead: `\`${POD_NAMESPACE}: ${String(labels[key])}\`.`,
        ...(Object.hasOwn(labels, POD_NAMESPACE)
          ? {}
          : { fix: fix('The namespace of the pods', move([...path, key], [...path, POD_NAMESPACE])) }),
      })),
  ),
};
