import type { Cilium } from '../cilium/cilium.ts';
import type { Part, PartName } from '../cilium/parts.ts';
import type { Stack } from '../cluster/stack.ts';
import type { PanelAction, PanelValue } from '../slack/panel.ts';
import type { SlackPlayground } from '../slack/slack.ts';
import { denyGateway } from './deny.ts';

/** What a person can do to the mesh, and to what stands around it. */
const CANARY = 'backend/backend-canary';

export const ACTIONS: readonly PanelAction[] = [
  {
    id: 'break',
    label: 'Break the canary',
    group: 'Canary',
    kind: 'button',
    tone: 'danger',
    hint: 'Every request to a canary fails: 500, or UNAVAILABLE over gRPC',
  },
  { id: 'mend', label: 'Mend everything', group: 'Canary', kind: 'button', tone: 'mend' },
  { id: 'errors', label: 'Share of 500s', group: 'Canary', kind: 'range', min: 0, max: 100, step: 1, unit: '%' },
  { id: 'latency', label: 'Added latency', group: 'Canary', kind: 'range', min: 0, max: 3_000, step: 100, unit: 'ms' },
  { id: 'hang', label: 'Hang', group: 'Canary', kind: 'toggle', hint: 'Requests to backend-canary never get an answer' },
  { id: 'crash', label: 'Crash its pods', group: 'Canary', kind: 'toggle', hint: 'Connections are refused and no pod is ready' },
  {
    id: 'drop',
    label: 'Drop its packets',
    group: 'Canary',
    kind: 'toggle',
    hint: 'A policy denies what the gateway sends to backend-canary',
  },
  {
    id: 'lost',
    label: 'Lose 100 flow events',
    group: 'Sight',
    kind: 'button',
    tone: 'danger',
    hint: 'Hubble on node-1 reports lost events',
  },
  { id: 'blind', label: 'Take Hubble of node-1 away', group: 'Sight', kind: 'toggle' },
  { id: 'prometheus', label: 'Stop Prometheus', group: 'Sight', kind: 'toggle' },
  { id: 'slack', label: 'Slack answers 429', group: 'Around', kind: 'toggle', hint: 'Every call is told to come back in 2 s' },
  { id: 'apiserver', label: 'Slow API server', group: 'Around', kind: 'toggle', hint: 'It answers for 0.3 s, then sleeps for 1.5 s' },
  {
    id: 'worker',
    label: 'Kill the worker',
    group: 'Around',
    kind: 'button',
    tone: 'danger',
    hint: 'With SIGKILL; another one is started and takes its watches over',
  },
  { id: 'load', label: 'Requests per second', group: 'Traffic', kind: 'range', min: 0, max: 300, step: 10, unit: '/s' },
  { id: 'ledger', label: 'gRPC service', group: 'Traffic', kind: 'toggle', hint: 'Then type: /mesh canary ledger 10%' },
  { id: 'catalog', label: 'East-west service', group: 'Traffic', kind: 'toggle', hint: 'Then type: /mesh canary catalog 10%' },
];

/** Faults as they are when everything is mended; what only brings traffic stays. */
export const AT_REST: Readonly<Record<string, PanelValue>> = {
  errors: 0,
  latency: 0,
  hang: false,
  crash: false,
  drop: false,
  blind: false,
  prometheus: false,
  slack: false,
  apiserver: false,
};

export interface Around {
  readonly stack: Stack;
  /** The Slack that shows the panel. */
  readonly slack: () => SlackPlayground;
  /** Kills the worker and starts another one. Rejects where bot and worker are one process. */
  readonly replaceWorker: () => Promise<void>;
}

const SLEEP_MS = 1_500;
const AWAKE_MS = 300;

/** Performs the panel's actions. `stop` ends what runs by a clock. */
export function createFaults({ faults, parts }: Cilium, { stack, slack, replaceWorker }: Around) {
  const { apiserver } = stack.kube;
  const running = new Map<PartName, Part>();
  let sleeping: NodeJS.Timeout | undefined;
  let isBroken = false;
  let isPrometheusAway = false;

  const rest = (asleep: boolean): void => {
    if (asleep) apiserver.pause();
    else apiserver.resume();
    sleeping = setTimeout(rest, asleep ? SLEEP_MS : AWAKE_MS, !asleep);
  };
  const slow = (isSlow: boolean): void => {
    clearTimeout(sleeping);
    sleeping = undefined;
    if (isSlow) rest(true);
    else apiserver.resume();
  };
  const prometheus = async (isAway: boolean): Promise<void> => {
    if (isAway === isPrometheusAway) return;
    isPrometheusAway = isAway;
    if (isAway) await stack.prometheus.stop();
    else await stack.prometheus.start(AbortSignal.timeout(60_000));
  };
  const breakAll = (share: number): void => {
    isBroken = share === 1;
    faults.errorRate(CANARY, share);
    if (running.has('ledger')) faults.grpcErrors('backend/ledger-canary', share);
    if (running.has('catalog')) faults.errorRate('backend/catalog-canary', share);
  };
  const part = async (name: PartName, wanted: boolean): Promise<void> => {
    const present = running.get(name);
    if (wanted === (present !== undefined)) return;
    if (wanted) {
      running.set(name, await parts.start(name));
      if (isBroken) breakAll(1);
      return;
    }
    running.delete(name);
    await present?.stop();
  };
  const mend = async (): Promise<void> => {
    slow(false);
    isBroken = false;
    faults.mend();
    slack().faults.rateLimited(false);
    await Promise.all([prometheus(false), denyGateway(stack.kube.api, false), faults.nodeUnavailable(faults.gatewayNode, false)]);
  };
  const perform = async (id: string, value: PanelValue | undefined): Promise<void> => {
    const isOn = value === true;
    switch (id) {
      case 'break':
        return breakAll(1);
      case 'mend':
        return mend();
      case 'errors':
        return breakAll(Number(value) / 100);
      case 'latency':
        return faults.latency(CANARY, Number(value));
      case 'hang':
        return faults.hang(CANARY, isOn ? 1 : 0);
      case 'crash':
        return isOn ? faults.crash(CANARY) : faults.mend(CANARY);
      case 'drop':
        return denyGateway(stack.kube.api, isOn);
      case 'lost':
        return faults.lostEvents(faults.gatewayNode, 100);
      case 'blind':
        return faults.nodeUnavailable(faults.gatewayNode, isOn);
      case 'prometheus':
        return prometheus(isOn);
      case 'slack':
        return slack().faults.rateLimited(isOn ? 2 : false);
      case 'apiserver':
        return slow(isOn);
      case 'worker':
        return replaceWorker();
      case 'load':
        return faults.load(Number(value));
      case 'ledger':
      case 'catalog':
        return part(id, isOn);
      default:
        throw new Error(`There is no action ${id}.`);
    }
  };
  return { perform, stop: () => slow(false) };
}
