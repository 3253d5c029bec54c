// How the documents of these tests are written. The line that is wrong carries the comment `# here`.
import type { LintContext } from '../../../../../src/domain/policy/lint/finding.ts';

export interface BrokenDocument {
  readonly rule: string;
  readonly text: string;
  /** Words that the finding must say about what would happen. */
  readonly happens: RegExp;
  /** The document as it should be, where no fix can be offered; with a fix, the fixed text is taken. */
  readonly right?: string;
  readonly live?: LintContext;
}

function indented(text: string, by: number): string {
  return text
    .replace(/^\n/, '')
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(by) + line))
    .join('\n');
}

/** A policy for the backend, of the given spec besides its selector. */
export function policy(spec: string, kind = 'CiliumNetworkPolicy'): string {
  return `apiVersion: cilium.io/v2
kind: ${kind}
metadata:
  name: backend${kind === 'CiliumNetworkPolicy' ? '\n  namespace: backend' : ''}
spec:
  endpointSelector:
    matchLabels:
      app: backend
${indented(spec, 2)}
`;
}

/** One ingress rule from the frontend, with these ports and L7 rules. */
export function fromFrontend(toPorts: string): string {
  return policy(`
ingress:
  - fromEndpoints:
      - matchLabels: {app: frontend}
    toPorts:
${indented(toPorts, 6)}`);
}

export function http(entries: string): string {
  return fromFrontend(`
- ports: [{port: "8080", protocol: TCP}]
  rules:
    http:
${indented(entries, 6)}`);
}

const DNS = `
  - toEndpoints:
      - matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, "k8s:k8s-app": kube-dns}
    toPorts:
      - ports: [{port: "53", protocol: ANY}]
        rules:
          dns: [{matchPattern: "*"}]`;

export const egress = (rules: string): string => policy(`egress:${DNS}\n${indented(rules, 2)}`);
