import type { Cilium } from '../cilium/cilium.ts';
import type { TrueRequest } from '../cilium/truth.ts';
import type { Panel, PanelState, PanelValue } from '../slack/panel.ts';
import { ACTIONS, type Around, AT_REST, createFaults } from './panel-faults.ts';

/** The mesh as the page shows it: weights, traffic, and what a person can break and mend. */
const WINDOW_MS = 2_000;
const REFRESH_MS = 500;

/** A panel over the simulated mesh; `stop` ends its clock. */
export function meshPanel(cilium: Cilium, around: Around, now: () => number = Date.now): Panel & { stop(): void } {
  const faults = createFaults(cilium, around);
  let toggles: Record<string, PanelValue> = { load: 100, ledger: false, catalog: false, ...AT_REST };
  const listeners = new Set<(state: PanelState) => void>();
  const state = (): PanelState => stateOf(cilium, toggles, now());
  const tell = (): void => {
    const present = state();
    for (const listener of listeners) listener(present);
  };
  const clock = setInterval(tell, REFRESH_MS);
  clock.unref();
  const unsubscribe = cilium.truth.onWeights(tell);
  return {
    actions: ACTIONS.filter(({ id }) => !cilium.unsupported?.includes(id)),
    state,
    run: async (id, value) => {
      await faults.perform(id, value);
      toggles = id === 'mend' ? { ...toggles, ...AT_REST } : { ...toggles, ...(value !== undefined && { [id]: value }) };
      if (id === 'break') toggles = { ...toggles, errors: 100 };
      tell();
      return state();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => {
      clearInterval(clock);
      unsubscribe();
      faults.stop();
    },
  };
}

function stateOf(cilium: Cilium, toggles: Readonly<Record<string, PanelValue>>, at: number): PanelState {
  const { truth } = cilium;
  const recent = truth.requests.slice(-2_000).filter((request) => request.at > at - WINDOW_MS);
  const services = Map.groupBy(recent, (request) => request.service);
  const routes = new Map(truth.weights.map((entry) => [entry.route, entry]));
  const weights = [...routes.values()].map(({ route, weights: rules }) => {
    const backends = Object.entries(rules[0] ?? {}).map(([name, weight]) => ({ name, weight }));
    const total = backends.reduce((sum, { name }) => sum + (services.get(name)?.length ?? 0), 0);
    const inForce = backends.map(({ name }) => ({ name, share: total === 0 ? 0 : (services.get(name)?.length ?? 0) / total }));
    return { route, backends, ...(total > 0 && { inForce }) };
  });
  const names = [...new Set([...weights.flatMap((entry) => entry.backends.map(({ name }) => name)), ...services.keys()])].filter(Boolean);
  return { toggles, weights, rates: names.map((service) => rateOf(service, services.get(service) ?? [])), health: healthOf(cilium.pods()) };
}

function rateOf(service: string, requests: readonly TrueRequest[]): PanelState['rates'][number] {
  const perSecond = 1_000 / WINDOW_MS;
  const latencies = requests.map((request) => request.latencyMs).toSorted((a, b) => a - b);
  const quantile = (q: number): number => Math.round(latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0);
  const errors = requests.filter((request) => !request.ok).length;
  return {
    service,
    requestsPerSecond: requests.length * perSecond,
    errorsPerSecond: errors * perSecond,
    ...(latencies.length > 0 && { p50: quantile(0.5), p99: quantile(0.99) }),
  };
}

function healthOf(pods: ReturnType<Cilium['pods']>): PanelState['health'] {
  return pods.map(({ name, group, ready }) => ({ name, group, state: ready ? 'ok' : 'bad', ...(!ready && { detail: 'not ready' }) }));
}
