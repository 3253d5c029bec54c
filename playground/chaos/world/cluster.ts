import type { CallOptions, Cluster, WatchEvent } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure, failureOf } from '../../../src/clients/kubernetes/failure.ts';
import type { KubeObject, Resource } from '../../../src/clients/kubernetes/objects.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import type { ApiServer, Event, Writer } from './api-server.ts';
import type { Faults } from './faults.ts';

interface Where {
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** Milliseconds of a call that is well, and until one is given up. */
const READ_MS = 2;
const WRITE_MS = 4;
const DEADLINE_MS = 5_000;

/** The product's client of one apiserver, over the model of it. */
export function modelCluster(api: ApiServer, faults: Faults): Cluster {
  const call = <T>(ms: number, work: () => T, { signal, deadlineMs = DEADLINE_MS }: CallOptions): Promise<T> =>
    faults.call('api', work, failureFor, { ms, deadlineMs, signal });
  const cluster: Cluster = {
    read: <T extends KubeObject>(ref: ObjectRef, options: CallOptions) => call(READ_MS, () => api.read(ref) as T | undefined, options),
    list: <T extends KubeObject, P>(
      resource: Resource,
      { namespace, labelSelector }: Where,
      options: CallOptions & { readonly part?: (object: T) => P },
    ) => {
      const { part = (object: T) => object as unknown as P } = options;
      const list = (): { items: P[]; resourceVersion: string } => {
        const items = api.list(resource, namespace).filter((object) => isSelected(object, labelSelector));
        return { items: items.map((object) => part(object as T)), resourceVersion: api.version };
      };
      return call(READ_MS, list, options);
    },
    patch: (ref, ops, options) => call(WRITE_MS, () => api.patch(ref, ops, writerOf(options), options.dryRun), options),
    create: (object, ref, options) => call(WRITE_MS, () => api.create(ref, object, writerOf(options), options.dryRun), options),
    remove: (ref, version, options) => call(WRITE_MS, () => api.remove(ref, writerOf(options), version, options.dryRun), options),
    mayI: (_right, options) => call(READ_MS, () => ({ allowed: true, reason: '' }), options),
    watch: (resource, version, options) => follow(api, faults, resource, version, options),
    ping: (options) => call(READ_MS, () => undefined, options),
    close: () => undefined,
  };
  return cluster;
}

function writerOf({ as }: CallOptions): Writer {
  return as ? { kind: 'person', name: as.user } : { kind: 'bot', name: 'meshops' };
}

function failureFor(how: 'down' | 'error' | 'hang'): Error {
  if (how === 'error') return failureOf(500, { kind: 'Status', message: 'etcdserver: request timed out' });
  if (how === 'hang') return new ClusterFailure('Timeout', 'the Kubernetes API did not answer within 5000 ms');
  return new ClusterFailure('Unreachable', 'the Kubernetes API cannot be reached: connect ECONNREFUSED');
}

/** Terms `key=value`, `key` and `!key`, joined by commas. */
export function isSelected({ metadata }: KubeObject, selector: string | undefined): boolean {
  if (!selector) return true;
  const labels = metadata.labels ?? {};
  return selector.split(',').every((term) => {
    const [key = '', value] = term.split('=');
    if (key.startsWith('!')) return labels[key.slice(1)] === undefined;
    return value === undefined ? labels[key] !== undefined : labels[key] === value;
  });
}

/** Events after `version`, until the signal aborts. A watch breaks when the API goes down, and is silent while it hangs. */
async function* follow(
  api: ApiServer,
  faults: Faults,
  resource: Resource,
  version: string,
  { signal, opened }: { readonly signal: AbortSignal; readonly opened?: (() => void) | undefined },
): AsyncGenerator<WatchEvent> {
  await faults.call('api', () => undefined, failureFor, { ms: READ_MS, deadlineMs: DEADLINE_MS, signal });
  const missed = api.since(resource, version);
  if (!missed) throw failureOf(410, { kind: 'Status', message: 'too old resource version' });
  const events: Event[] = [...missed];
  let wakeUp = Promise.withResolvers<void>();
  const wake = (): void => wakeUp.resolve();
  const stops = [
    api.listen(resource, (event) => {
      events.push(event);
      wake();
    }),
    faults.listen(wake),
  ];
  signal.addEventListener('abort', wake, { once: true });
  try {
    opened?.();
    for (;;) {
      const mode = faults.mode('api');
      if (mode === 'down' || mode === 'error') throw failureFor(mode);
      const event = mode === 'hang' ? undefined : events.shift();
      if (event) yield event;
      else {
        signal.throwIfAborted();
        wakeUp = Promise.withResolvers<void>();
        await wakeUp.promise;
      }
    }
  } finally {
    for (const stop of stops) stop();
    signal.removeEventListener('abort', wake);
  }
}
