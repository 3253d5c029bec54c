// Policy sources that a test fills; files, messages and uploads go to the real playground.
import { createSlackMessages } from '../../../activities/clients/slack.ts';
import { readCandidate } from '../../../activities/policy/sources/read-candidate.ts';
import { downloadText } from '../../../activities/policy/sources/thread-file.ts';
import type { SlackPlayground } from '../../../playground/slack/slack.ts';
import type { PolicyParts } from '../../../src/slack/policy/parts.ts';

export type PlayedPolicy = { -readonly [Part in keyof PolicyParts]: PolicyParts[Part] } & {
  /** Texts by `namespace/workload`, as ConfigMaps would hold them. */
  readonly texts: Map<string, string>;
};

export const GOOD = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: backend
  namespace: backend
spec:
  endpointSelector:
    matchLabels: {app: backend}
  ingress:
    - fromEndpoints:
        - matchLabels: {app: frontend, "k8s:io.kubernetes.pod.namespace": frontend}
      toPorts:
        - ports: [{port: "8080", protocol: TCP}]
`;

export function playPolicy(slack: Pick<SlackPlayground, 'botToken' | 'apiUrl'>): PlayedPolicy {
  const messages = createSlackMessages({ token: slack.botToken, apiUrl: slack.apiUrl });
  const texts = new Map<string, string>();
  return {
    texts,
    candidate: async (target) => {
      const text = texts.get(`${target.namespace}/${target.name}`);
      if (text === undefined) {
        return { kind: 'refused', refusal: { code: 'NoCandidate', parameters: { workload: target.name, looked: ['a ConfigMap'] } } };
      }
      const read = readCandidate(text, `ConfigMap ${target.namespace}/policies (${target.name}.yaml)`, target.namespace);
      if (read.kind === 'candidate') return { kind: 'found', candidate: read.candidate };
      return { kind: 'refused', refusal: { code: 'BadCandidate', parameters: read } };
    },
    download: (file, signal) => downloadText(file, { botToken: slack.botToken, hosts: [new URL(slack.apiUrl).host], signal }),
    post: (channelId, message, threadTs) => messages.post(channelId, message, threadTs),
    upload: (file) => messages.upload(file),
  };
}
