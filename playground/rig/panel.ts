import type { Cilium } from '../cilium/cilium.ts';
import type { TrueRequest } from '../cilium/truth.ts';
import type { Panel, PanelAction, PanelState, PanelValue } from '../slack/panel.ts';

/** The mesh as the page shows it: weights, traffic, and what a person can break and mend. */
const CANARY = 'backend/backend-canary';
const WINDOW_MS = 2_000;
const REFRESH_MS = 500;

const ACTIONS: readonly PanelAction[] = [
  {
    id: 'break',
    label: 'Break the canary',
    group: 'Canary',
    kind: 'button',
    tone: 'danger',
    hint: 'Every request to backend-canary fails with 500',
  },
  { id: 'mend', label: 'Mend everything', group: 'Canary', kind: 'button', tone: 'mend' },
  { id: 'errors', label: 'Share of 500s', group: 'Canary', kind: 'range', min: 0, max: 100, step: 1, unit: '%' },
  { id: 'latency', label: 'Added latency', group: 'Canary', kind: 'range', min: 0, max: 3_000, step: 100, unit: 'ms' },
  { id: 'hang', label: 'Hang', group: 'Canary', kind: 'toggle', hint: 'Requests to backend-canary never get an answer' },
  { id: 'crash', label: 'Crash its pods', group: 'Canary', kind: 'toggle', hint: 'Connections are refused and no pod is ready' },
  {
    id: 'lost',
    label: 'Lose 100 flow events',
    group: 'Sight',
    kind: 'button',
    tone: 'danger',
    hint: 'Hubble on node-1 reports lost events',
  },
  { id: 'blind', label: 'Take Hubble of node-1 away', group: 'Sight', kind: 'toggle' },
  { id: 'load', label: 'Requests per second', group: 'Traffic', kind: 'range', min: 0, max: 300, step: 10, unit: '/s' },
];
const AT_REST: Readonly<Record<string, PanelValue>> = { errors: 0, latency: 0, hang: false, crash: false, blind: false, load: 100 };

/** A panel over the simulated mesh; `stop` ends its clock. */
export function meshPanel(cilium: Cilium, now: () => number = Date.now): Panel & { stop(): void } {
  let toggles: Record<string, PanelValue> = { ...AT_REST };
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
    actions: ACTIONS,
    state,
    run: async (id, value) => {
      await perform(cilium, id, value);
      toggles = id === 'mend' ? { ...AT_REST, load: toggles['load'] ?? 100 } : { ...toggles, ...(value !== undefined && { [id]: value }) };
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
    },
  };
}

async function perform({ faults }: Cilium, id: string, value: PanelValue | undefined): Promise<void> {
  switch (id) {
    case 'break':
      return faults.errorRate(CANARY, 1);
    case 'mend':
      faults.mend();
      return faults.nodeUnavailable(faults.gatewayNode, false);
    case 'errors':
      return faults.errorRate(CANARY, Number(value) / 100);
    case 'latency':
      return faults.latency(CANARY, Number(value));
    case 'hang':
      return faults.hang(CANARY, value === true ? 1 : 0);
    case 'crash':
      return value === true ? faults.crash(CANARY) : faults.mend(CANARY);
    case 'lost':
      return faults.lostEvents(faults.gatewayNode, 100);
    case 'blind':
      return faults.nodeUnavailable(faults.gatewayNode, value === true);
    case 'load':
      return faults.load(Number(value));
    default:
      throw new Error(`There is no action ${id}.`);
  }
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
