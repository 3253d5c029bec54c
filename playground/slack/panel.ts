// What lets the page break and mend the mesh. Types only: the simulator implements them, the page draws them.

export type PanelValue = string | number | boolean;

/** One thing a person can do to the mesh. `range` needs min, max and step; `unit` is shown beside its value. */
export interface PanelAction {
  readonly id: string;
  readonly label: string;
  readonly group: string;
  readonly kind: 'button' | 'toggle' | 'range';
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly unit?: string;
  readonly hint?: string;
  /** `danger` breaks something, `mend` puts it right; the page colours them so. */
  readonly tone?: 'danger' | 'mend';
}

/** Weights as written on a route, and the share of requests each backend really gets (0..1). */
export interface PanelWeights {
  readonly route: string;
  readonly backends: readonly { readonly name: string; readonly weight: number }[];
  readonly inForce?: readonly { readonly name: string; readonly share: number }[];
}

/** Live traffic of one service. Latencies are in milliseconds. */
export interface PanelRate {
  readonly service: string;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly p50?: number;
  readonly p99?: number;
}

/** One pod, node or process and whether it is well. */
export interface PanelHealth {
  readonly name: string;
  readonly group?: string;
  readonly state: 'ok' | 'warning' | 'bad';
  readonly detail?: string;
}

export interface PanelState {
  /** Present value of every toggle and range, by action id. */
  readonly toggles: Readonly<Record<string, PanelValue>>;
  readonly weights: readonly PanelWeights[];
  readonly rates: readonly PanelRate[];
  readonly health: readonly PanelHealth[];
  readonly note?: string;
}

export interface Panel {
  readonly actions: readonly PanelAction[];
  /** Performs one action and resolves with the state after it. Rejects with a sentence for the person when it cannot. */
  run(id: string, value?: PanelValue): Promise<PanelState>;
  state(): PanelState;
  /** Calls the listener on every change until the returned function is called. */
  subscribe(listener: (state: PanelState) => void): () => void;
}
