import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { KubeObject } from '../cilium/kube/types.ts';
import type { TruePolicy } from '../cilium/policy/realisation.ts';
import { STATE } from './config.ts';
import type { RealNode } from './node.ts';

/** When policies are in force on real nodes, by each agent's own API: it has the policy, and every endpoint of the node is at that revision. */
export interface PolicyTruth {
  /** A change as the watch brought it; `object` undefined = deleted. */
  seen(kind: string, key: string, object: KubeObject | undefined): void;
}

export interface PolicyTruthOptions {
  readonly nodes: readonly RealNode[];
  readonly now: () => number;
  readonly inForce: (change: TruePolicy) => void;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const LOOK_EVERY_MS = 20;
const WITHIN_MS = 30_000;
// An update that changes no rule changes nothing in the agent.
const SAME_RULES_MS = 2_000;

interface Repository {
  readonly revision: number;
  readonly policy: string;
}

interface Endpoint {
  readonly status?: { readonly policy?: { readonly realized?: { readonly 'policy-revision'?: number } } };
}

export function createPolicyTruth(options: PolicyTruthOptions): PolicyTruth {
  const { now, signal } = options;
  const uids = new Map<string, string>();
  const rules = new Map<string, string>();

  const follow = async (
    node: RealNode,
    change: Pick<TruePolicy, 'policy' | 'kind' | 'generation' | 'seenAt'>,
    uid: string,
    isGone: boolean,
  ) => {
    const id = `${node.node.name} ${uid}`;
    const until = now() + WITHIN_MS;
    let revision: number | undefined;
    while (!signal.aborted && now() < until) {
      if (revision === undefined) {
        const repository = await ask<Repository>(node, '/v1/policy');
        const mine = repository ? rulesOf(repository.policy, uid) : undefined;
        const taken = isGone ? mine === '' : mine !== '' && (mine !== rules.get(id) || now() - change.seenAt > SAME_RULES_MS);
        if (repository && mine !== undefined && taken) {
          rules.set(id, mine);
          revision = repository.revision;
        }
      }
      if (revision !== undefined) {
        const endpoints = await ask<readonly Endpoint[]>(node, '/v1/endpoint');
        const reached = revision;
        if (endpoints?.every(({ status }) => (status?.policy?.realized?.['policy-revision'] ?? 0) >= reached)) {
          options.inForce({ ...change, node: node.node.name, inForceAt: now() });
          return;
        }
      }
      await wait(LOOK_EVERY_MS, undefined, { signal });
    }
  };

  return {
    seen: (kind, key, object) => {
      const id = `${kind} ${key}`;
      const uid = object?.metadata.uid ?? uids.get(id);
      if (uid === undefined) return;
      uids.set(id, uid);
      const change = { policy: key, kind, generation: object?.metadata.generation ?? 0, seenAt: now() };
      for (const node of options.nodes) {
        follow(node, change, uid, object === undefined).catch((error: unknown) => {
          if (!signal.aborted) options.onError(error);
        });
      }
    },
  };
}

/** The rules that came of one policy, as text; '' = none. */
function rulesOf(policy: string, uid: string): string {
  const all = JSON.parse(policy || '[]') as readonly unknown[] | null;
  return (all ?? [])
    .map((rule) => JSON.stringify(rule))
    .filter((text) => text.includes(uid))
    .join('\n');
}

/** Asks the agent; undefined where it does not answer, as while it restarts. */
function ask<T>(node: RealNode, path: string): Promise<T | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: node.path(`${STATE}/cilium.sock`), path, timeout: 2_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve(response.statusCode === 200 ? (JSON.parse(text) as T) : undefined));
      response.once('error', () => resolve(undefined));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(undefined));
    asked.end();
  });
}
