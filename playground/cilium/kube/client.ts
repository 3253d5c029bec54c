/**
 * A small Kubernetes client: JSON over one keep-alive pool, plus watches. The simulator plays five controllers and needs the exact moment at which a
 * watch event arrives, so it reads the stream itself.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import type { KubeObject } from './types.ts';

export interface KubeAccess {
  readonly url: string;
  readonly caFile: string;
  readonly token: string;
}

/** A kind as the API server serves it, e.g. `{ base: '/apis/apps/v1', plural: 'deployments', namespaced: true }`. */
export interface Resource {
  readonly base: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export const resource = (base: string, plural: string, namespaced = true): Resource => ({ base, plural, namespaced });

/** The API server said no. `status` is the HTTP status; 404 and 409 are usually expected by the caller. */
export class KubeError extends Error {
  override readonly name = 'KubeError' as const;
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Kube {
  get<T extends KubeObject>(of: Resource, namespace: string | undefined, name: string): Promise<T>;
  list<T extends KubeObject>(of: Resource): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  create<T extends KubeObject>(of: Resource, object: T): Promise<T>;
  /** Server-side apply, forced, as `meshops-playground`. */
  apply<T extends KubeObject>(of: Resource, object: T): Promise<T>;
  /** JSON merge patch; `part` is '' for the object itself or 'status'. */
  merge(of: Resource, object: KubeObject, patch: unknown, part?: '' | 'status'): Promise<void>;
  remove(of: Resource, object: KubeObject): Promise<void>;
  /** Lines of a watch; ends when the server ends it or the signal aborts. */
  watch(of: Resource, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent>;
  close(): void;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject & { readonly code?: number };
}

function pathOf(of: Resource, namespace?: string, name?: string): string {
  return [of.base, ...(of.namespaced && namespace !== undefined ? ['namespaces', namespace] : []), of.plural, ...(name ? [name] : [])].join(
    '/',
  );
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly signal?: AbortSignal;
}

const busyAttempts = 40;
const busyMs = 150;

/** A client for one identity; `close` drops its idle connections. */
export function createKube(access: KubeAccess): Kube {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca: readFileSync(access.caFile) });
  const watchAgent = new Agent({ keepAlive: false, ca: readFileSync(access.caFile) });

  const open = (call: Call, pool: Agent): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = call.body === undefined ? undefined : JSON.stringify(call.body);
      const outgoing = request(
        new URL(call.path, access.url),
        {
          method: call.method,
          agent: pool,
          headers: {
            authorization: `Bearer ${access.token}`,
            accept: 'application/json',
            // Node states no length for a DELETE by itself, and the server would read its body as the next request.
            ...(body !== undefined && { 'content-type': call.type ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
          },
          ...(call.signal ? { signal: call.signal } : { timeout: 20_000 }),
        },
        resolve,
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`The API server did not answer ${call.method} ${call.path} within 20 s`)));
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const send = async <T>(call: Call): Promise<T> => {
    let response = await open(call, agent);
    let text = await read(response);
    // 429 = asked too early, e.g. while the storage of a new CRD comes up.
    for (let attempt = 0; response.statusCode === 429 && attempt < busyAttempts; attempt += 1) {
      await wait(busyMs);
      response = await open(call, agent);
      text = await read(response);
    }
    const status = response.statusCode ?? 0;
    if (status >= 400) throw new KubeError(status, `${call.method} ${call.path}: ${status} ${text.slice(0, 400)}`);
    return JSON.parse(text) as T;
  };

  return {
    get: (of, namespace, name) => send({ method: 'GET', path: pathOf(of, namespace, name) }),
    list: async <T extends KubeObject>(of: Resource) => {
      const list = await send<{ items: T[]; metadata: { resourceVersion: string } }>({ method: 'GET', path: pathOf(of) });
      return { items: list.items, resourceVersion: list.metadata.resourceVersion };
    },
    create: (of, object) => send({ method: 'POST', path: pathOf(of, object.metadata.namespace), body: object }),
    apply: (of, object) =>
      send({
        method: 'PATCH',
        path: `${pathOf(of, object.metadata.namespace, object.metadata.name)}?fieldManager=meshops-playground&force=true`,
        body: object,
        type: 'application/apply-patch+yaml',
      }),
    merge: async (of, object, patch, part = '') => {
      const path = pathOf(of, object.metadata.namespace, object.metadata.name);
      await send({ method: 'PATCH', path: part ? `${path}/${part}` : path, body: patch, type: 'application/merge-patch+json' });
    },
    remove: async (of, object) => {
      const { namespace, name, uid } = object.metadata;
      const path = pathOf(of, namespace, name);
      // A pod that came back under the name of the one that is meant is another one.
      const preconditions = of.plural === 'pods' && uid !== undefined ? { preconditions: { uid } } : {};
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Background', ...preconditions };
      await send({ method: 'DELETE', path, body }).catch((error: unknown) => {
        if (!(error instanceof KubeError && (error.status === 404 || (error.status === 409 && uid !== undefined)))) throw error;
      });
    },
    watch: async function* (of, resourceVersion, signal) {
      const path = `${pathOf(of)}?watch=1&allowWatchBookmarks=true&resourceVersion=${resourceVersion}&timeoutSeconds=3600`;
      const response = await open({ method: 'GET', path, signal }, watchAgent);
      if ((response.statusCode ?? 0) >= 400) throw new KubeError(response.statusCode ?? 0, `${path}: ${await read(response)}`);
      yield* linesOf(response);
    },
    close: () => {
      agent.destroy();
      watchAgent.destroy();
    },
  };
}

const linesOf = async function* (response: IncomingMessage): AsyncGenerator<WatchEvent> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    rest += chunk as string;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent;
  }
};
