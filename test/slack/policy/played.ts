// Policy sources that a test fills; files, messages and uploads go to the real playground.

import type { SlackPlayground } from '../../../playground/slack/slack.ts';
import type { Flow } from '../../../src/clients/hubble/flow.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import { createSlackMessages } from '../../../src/clients/slack.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { ServerWord } from '../../../src/reading/policy/server-word.ts';
import { readCandidate } from '../../../src/reading/policy/sources/read-candidate.ts';
import { downloadText } from '../../../src/reading/policy/sources/thread-file.ts';
import type { PolicyParts } from '../../../src/slack/policy/parts.ts';
import { runHere } from '../../../src/slack/policy/tasks.ts';
import { line, pod, type Told } from '../../domain/policy/dryrun/lines.ts';

export type PlayedPolicy = { -readonly [Part in keyof PolicyParts]: PolicyParts[Part] } & {
  /** Texts by `namespace/workload`, as ConfigMaps would hold them. */
  readonly texts: Map<string, string>;
  /** Namespaces of each workload; one that is not in it is where it is looked for. */
  readonly places: Map<string, readonly string[]>;
  documents: KubeObject[];
  flows: Flow[];
  reachesTo: number;
  server: ServerWord;
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
  const played: PlayedPolicy = {
    apart: { run: runHere },
    texts,
    places: new Map(),
    documents: [],
    flows: [],
    reachesTo: 0,
    server: { kind: 'takes' },
    world: async (_cluster, namespace) => ({
      documents: played.documents.filter(({ metadata }) => metadata.namespace === namespace),
      compile: { services: [] },
      config: {},
    }),
    workload: async ({ namespace, name }) =>
      ['frontend', 'backend', 'database'].includes(name)
        ? { kind: 'Deployment', selector: { app: name }, pods: [podOf(namespace, name)] }
        : undefined,
    rings: async () => ({ flows: played.flows, lost: 0, reachesTo: played.reachesTo, nodes: 3, gaps: [], cut: false }),
    namespacesOf: async ({ name, first }) => {
      const found = played.places.get(name) ?? (first === undefined ? [] : [first]);
      return first !== undefined && found.includes(first) ? [first] : found;
    },
    askServer: async () => played.server,
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
  return played;
}

function podOf(namespace: string, name: string) {
  const { labels, ip } = pod(namespace, name, '10.0.2.20');
  return { name: `${name}-7d4b9-x1`, labels, ip, namedPorts: [] };
}

/** Flows as an agent gives them, from lines of a recording. */
export function flowsOf(...told: readonly Told[]): Flow[] {
  return told.map((one) => (JSON.parse(line(one)) as { readonly flow: Flow }).flow);
}

/** A policy as the server stores it. */
export function stored(namespace: string, name: string, spec: object, valid = true): KubeObject {
  const status = { conditions: [{ type: 'Valid', status: valid ? 'True' : 'False', message: 'because' }] };
  const metadata = { namespace, name, uid: name, resourceVersion: '1' };
  return { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata, spec: spec as JsonObject, status };
}
