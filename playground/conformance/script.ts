import { setTimeout as wait } from 'node:timers/promises';
import type { Cilium } from '../cilium/cilium.ts';
import type { ClientOptions } from '../cilium/connections/clients.ts';
import { outsideApi } from '../cilium/connections/demo-hops.ts';
import type { Kube } from '../cilium/kube/client.ts';
import { resources } from '../cilium/kube/resources.ts';
import type { KubeObject, Pod } from '../cilium/kube/types.ts';
import { until } from '../cilium/until.ts';

/** What was done when (epoch ms), for what is measured in time. */
export interface Mark {
  readonly what: 'applied' | 'deleted' | 'labelled' | 'identified';
  readonly name: string;
  readonly at: number;
}

export interface Stage {
  readonly cilium: Pick<Cilium, 'clients' | 'faults'>;
  readonly kube: Kube;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** How often a policy and a label are changed to see how long it takes. */
  readonly turns: number;
}

/** Where the callers are; one pod for each situation, and its name says which. */
export const NAMESPACE = 'conform';
/** Callers outside of the cluster, by their addresses. */
export const VISITORS: Readonly<Record<string, string>> = { '203.0.113.71': 'world-open', '203.0.113.72': 'world-denied' };

const SERVER = 'backend/backend';
const CLIENT_SETTLES_MS = 1_500;
const IN_FORCE_MS = 3_000;
const DENIED_EVERY_MS = 5_000;

/** Plays every situation in turn and returns the marks. Leaves neither policies nor pods. */
export async function playScript(stage: Stage): Promise<readonly Mark[]> {
  const marks: Mark[] = [];
  const play = new Play(stage, marks);
  await stage.kube.apply(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  try {
    await withoutPolicies(play);
    await underIngress(play);
    await underEgress(play);
    await underNames(play);
    await inTime(play);
  } finally {
    await play.end();
  }
  return marks;
}

async function withoutPolicies(play: Play): Promise<void> {
  play.say('without policies');
  await play.caller('open', { everyMs: 400 });
  await play.caller('held', { everyMs: 1_000, keepOpen: true });
  await play.caller('closed-port', { everyMs: 800, port: 7_777 });
  await play.caller('outward', { everyMs: 800, to: outsideApi.name, labels: { app: 'outward' } });
  play.visit('world-open', 600);
  await play.pause(8_000);
  await play.stop('open', 'closed-port', 'outward', 'world-open');
}

async function underIngress(play: Play): Promise<void> {
  play.say('under an ingress policy');
  await play.caller('held-denied', { everyMs: 400, keepOpen: true });
  await play.pause(6_000);
  await play.policy('conform-in', 'backend', {
    endpointSelector: { matchLabels: { app: 'backend' } },
    ingress: [
      { fromEndpoints: [{ matchLabels: { app: 'friend', 'k8s:io.kubernetes.pod.namespace': NAMESPACE } }], toPorts: [ports(8_080)] },
      { fromEndpoints: [{ matchLabels: { app: 'held', 'k8s:io.kubernetes.pod.namespace': NAMESPACE } }], toPorts: [ports(8_080)] },
    ],
  });
  await play.caller('allowed', { everyMs: 400, labels: { app: 'friend' } });
  await play.caller('denied', { everyMs: DENIED_EVERY_MS });
  await play.caller('denied-port', { everyMs: DENIED_EVERY_MS, port: 8_081, labels: { app: 'friend' } });
  play.visit('world-denied', DENIED_EVERY_MS);
  await play.pause(11_000);
  await play.policy('conform-deny', 'backend', {
    endpointSelector: { matchLabels: { app: 'backend' } },
    ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: 'foe', 'k8s:io.kubernetes.pod.namespace': NAMESPACE } }] }],
  });
  await play.caller('denied-by-name', { everyMs: DENIED_EVERY_MS, labels: { app: 'foe' } });
  await play.pause(6_000);
  await play.stop('allowed', 'denied', 'denied-port', 'denied-by-name', 'world-denied', 'held', 'held-denied');
  await play.open();
}

async function underEgress(play: Play): Promise<void> {
  play.say('under an egress policy');
  await play.policy('conform-out', NAMESPACE, {
    endpointSelector: { matchLabels: { side: 'out' } },
    egress: [
      DNS_OPEN,
      { toEndpoints: [{ matchLabels: { app: 'backend', 'k8s:io.kubernetes.pod.namespace': 'backend' } }], toPorts: [ports(8_080)] },
    ],
  });
  await play.caller('egress-allowed', { everyMs: 400, labels: { app: 'out', side: 'out' } });
  await play.caller('egress-denied', { everyMs: DENIED_EVERY_MS, to: 'frontend/frontend', labels: { app: 'out', side: 'out' } });
  await play.pause(6_000);
  await play.stop('egress-allowed', 'egress-denied');
  await play.open();
}

async function underNames(play: Play): Promise<void> {
  play.say('under a policy of names');
  await play.policy('conform-names', NAMESPACE, {
    endpointSelector: { matchLabels: { side: 'names' } },
    egress: [
      {
        toEndpoints: KUBE_DNS,
        toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*.example.com' }] } }],
      },
      { toFQDNs: [{ matchName: outsideApi.name }], toPorts: [ports(outsideApi.port)] },
    ],
  });
  await play.caller('name-allowed', { everyMs: 800, to: outsideApi.name, labels: { app: 'names', side: 'names' } });
  await play.caller('name-refused', { everyMs: 2_000, labels: { app: 'names', side: 'names' } });
  await play.pause(7_000);
  await play.stop('name-allowed', 'name-refused');
  await play.open();
}

/** How long a policy takes to be in force and out of it, and a label to be an identity. */
async function inTime(play: Play): Promise<void> {
  play.say('in time');
  await play.caller('timing', { everyMs: 40 });
  for (let turn = 0; turn < play.turns; turn += 1) {
    await play.policy(`conform-t${turn}`, 'backend', { endpointSelector: { matchLabels: { app: 'backend' } }, ingress: [{}] }, 1_200);
    await play.open(1_500);
  }
  for (let turn = 0; turn < play.turns; turn += 1) await play.relabel('timing', `turn-${turn}`);
  await play.stop('timing');
}

const ports = (port: number) => ({ ports: [{ port: String(port), protocol: 'TCP' }] });
const KUBE_DNS = [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } }];
const DNS_OPEN = { toEndpoints: KUBE_DNS, toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }] }] };

class Play {
  readonly #stage: Stage;
  readonly #marks: Mark[];
  readonly #running = new Map<string, { stop(): Promise<void> }>();
  #policies: KubeObject[] = [];

  constructor(stage: Stage, marks: Mark[]) {
    this.#stage = stage;
    this.#marks = marks;
  }

  get turns(): number {
    return this.#stage.turns;
  }

  say(text: string): void {
    this.#stage.say(text);
  }

  async pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stage.signal });
  }

  async caller(name: string, options: Partial<ClientOptions> & Pick<ClientOptions, 'everyMs'>): Promise<void> {
    const client = await this.#stage.cilium.clients.start({ name, namespace: NAMESPACE, to: SERVER, ...options });
    this.#running.set(name, client);
  }

  visit(name: string, everyMs: number): void {
    const [ip = ''] = Object.entries(VISITORS).find(([, who]) => who === name) ?? [];
    this.#running.set(name, this.#stage.cilium.clients.visit({ name, ip, to: SERVER, everyMs }));
  }

  async stop(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#running.get(name)?.stop();
      this.#running.delete(name);
    }
    // What is under way comes to its end.
    await this.pause(CLIENT_SETTLES_MS);
  }

  async policy(name: string, namespace: string, spec: object, settleMs = IN_FORCE_MS): Promise<void> {
    const object = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name, namespace }, spec } as KubeObject;
    await this.#stage.kube.create(resources.ciliumPolicies, object);
    this.#mark('applied', name);
    this.#policies.push(object);
    await this.pause(settleMs);
  }

  /** Takes every policy away. */
  async open(settleMs = IN_FORCE_MS): Promise<void> {
    for (const object of this.#policies.splice(0)) {
      await this.#stage.kube.remove(resources.ciliumPolicies, object);
      this.#mark('deleted', object.metadata.name);
    }
    await this.pause(settleMs);
  }

  async relabel(name: string, value: string): Promise<void> {
    const { kube, signal } = this.#stage;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: NAMESPACE } } as Pod;
    await kube.merge(resources.pods, pod, { metadata: { labels: { turn: value } } });
    this.#mark('labelled', value);
    let shown = false;
    const look = async (): Promise<void> => {
      const endpoint = await kube.get<Endpoint>(resources.ciliumEndpoints, NAMESPACE, name);
      shown = endpoint.status?.identity?.labels?.includes(`k8s:turn=${value}`) ?? false;
    };
    const timer = setInterval(() => void look().catch(() => undefined), 20);
    try {
      await until(() => shown, { what: `The pod ${name} has no identity by its new label`, withinMs: 60_000, signal });
    } finally {
      clearInterval(timer);
    }
    this.#mark('identified', value);
  }

  async end(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((client) => client.stop()));
    await Promise.allSettled(this.#policies.map((object) => this.#stage.kube.remove(resources.ciliumPolicies, object)));
  }

  #mark(what: Mark['what'], name: string): void {
    this.#marks.push({ what, name, at: performance.timeOrigin + performance.now() });
  }
}

interface Endpoint extends KubeObject {
  readonly status?: { readonly identity?: { readonly labels?: readonly string[] } };
}
