import { describe, expect, it } from 'vitest';
import { hostWords } from '../../../src/domain/policy/hosts.ts';
import { readCandidate } from '../../../src/reading/policy/sources/read-candidate.ts';

const HOST = `apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: { name: edge }
spec:
  nodeSelector: { matchLabels: { role: gateway } }
  ingress:
    - fromEntities: [cluster]
    - toPorts: [{ ports: [{ port: "22", protocol: TCP }] }]
`;

describe('a policy for nodes', () => {
  it('is not taken for a rollout by pods: what it does is said, and the way by a label on one node after the other', () => {
    const read = readCandidate(HOST, 'edge.yaml', 'shop');
    expect(read.kind).toBe('bad');
    const words = read.kind === 'bad' ? read.words : '';
    expect(words).toContain('{"matchLabels":{"role":"gateway"}}');
    expect(words).toContain('ingress with 2 entries');
    expect(words).not.toContain('egress');
    expect(words).toContain('add `meshops.dev/host-policy: edge` to its nodeSelector');
    expect(words).toContain('kubectl label node <node> meshops.dev/host-policy=edge');
    expect(words).toContain('kubectl label node <node> meshops.dev/host-policy-');
  });

  it('is told apart from a cluster-wide one for pods', () => {
    const pods = { kind: 'CiliumClusterwideNetworkPolicy', metadata: { name: 'x' }, spec: { endpointSelector: {}, ingress: [{}] } };
    expect(hostWords(pods)).toBeUndefined();
    const read = readCandidate(HOST.replace('nodeSelector', 'endpointSelector'), 'edge.yaml', 'shop');
    expect(read.kind === 'bad' && read.words).toContain('it is cluster-wide');
  });
});
