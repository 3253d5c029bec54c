import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { type KubeObject, NAMESPACE, POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import { type PodPart, podPart } from '../../src/clients/kubernetes/parts.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import { identityOf, isLive } from '../../src/reading/policy/subject.ts';
import type { Carriers } from '../watch/carriers.ts';

/** While a node is out of sight it is looked at this often where the pods are (ms). */
const EVERY_MS = 10_000;

/** The pods that a policy selects, in one namespace. */
export interface Selected {
  readonly namespace: string;
  readonly isSubject: (labels: readonly string[]) => boolean;
  readonly clusterName?: string | undefined;
}

type Gap = Extract<Evidence, { kind: 'gap' }>;

/**
 * Says of each node out of sight whether that matters: both directions of a pod's connections are decided on its own node, so what is
 * lost where the policy selects no pod is not lost to the watch. Where the pods are is asked only while something is out of sight, since
 * there may be thousands of them.
 */
export class Places {
  readonly #cluster: Cluster;
  readonly #selected: Selected;
  readonly #carriers: Carriers;
  readonly #signal: AbortSignal;
  readonly #away = new Set<string>();
  #known = false;
  /** What is told is told in the order in which it happened. */
  #turn: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, selected: Selected, carriers: Carriers, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#selected = selected;
    this.#carriers = carriers;
    this.#signal = signal;
    const timer = setInterval(() => {
      if (this.#away.size > 0) void this.#look();
    }, EVERY_MS);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /** Resolves when it has been told, if it matters. */
  gap(gap: Gap): Promise<void> {
    this.#away.add(gap.node);
    return this.#after(async () => {
      await this.#look();
      this.#carriers.gap(gap);
    });
  }

  sight(node: string, at: number): Promise<void> {
    return this.#after(async () => {
      this.#away.delete(node);
      this.#carriers.sight(node, at);
    });
  }

  /** Those of the nodes on which the policy selects a pod. */
  async carrying(nodes: readonly string[], at: number): Promise<readonly string[]> {
    await this.#after(() => this.#look());
    return nodes.filter((node) => this.#carriers.carries(node, at));
  }

  /** Resolves when all that was told before has been dealt with. */
  settled(): Promise<void> {
    return this.#turn;
  }

  #after(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }

  /** While the API is silent what was known last still holds; a pod of which nothing was ever known may be anywhere. */
  async #look(): Promise<void> {
    const { namespace, isSubject, clusterName } = this.#selected;
    try {
      const [space, { items }] = await Promise.all([
        this.#cluster.read<KubeObject>({ ...NAMESPACE, namespace: '', name: namespace }, { signal: this.#signal }),
        this.#cluster.list<Pod, PodPart>(POD, { namespace }, { signal: this.#signal, part: podPart }),
      ]);
      const selected = items.filter((pod) => isLive(pod) && isSubject(identityOf(pod, undefined, { namespace: space, clusterName })));
      this.#known = true;
      this.#carriers.endpoints(
        namespace,
        selected.map(({ spec }) => spec.nodeName),
      );
    } catch {
      if (!this.#known) this.#carriers.endpoints(namespace, [undefined]);
    }
  }
}
