/**
 * The value of every button on an operation's messages: ids only. What a click means is decided by the server's state,
 * never by what the button claims (a forged or an old value can at worst be refused).
 */
export interface ButtonIds {
  readonly workflowId: string;
  readonly runId: string;
  readonly opId: string;
  /** Absent on buttons that stand outside a gate, such as abort. */
  readonly gateId?: string;
  /** The first 16 hex digits of the plan's hash: what the clicker saw. */
  readonly planHash?: string;
  /** A Service that the command could have meant. */
  readonly candidate?: string;
}

/** Action ids of the buttons: whoever renders one and whoever hears the click use the same words. */
export const ACTION = {
  approve: 'meshops:approve',
  reject: 'meshops:reject',
  abort: 'meshops:abort',
  extend: 'meshops:extend',
  continue: 'meshops:continue',
  rollback: 'meshops:rollback',
  adopt: 'meshops:adopt',
  restore: 'meshops:restore',
  leave: 'meshops:leave',
  /** Of an operation whose run is gone: what it wrote stays. */
  keep: 'meshops:keep',
  /** Offered when an operation is over: a new operation on the same target. */
  nextPromote: 'meshops:next-promote',
  nextRollback: 'meshops:next-rollback',
  /** Restored, and the service still fails: take the canary out altogether. */
  nextZero: 'meshops:next-zero',
  /** Offered where a command could mean several Services: the whole command, for this one. */
  candidate1: 'meshops:candidate-1',
  candidate2: 'meshops:candidate-2',
  candidate3: 'meshops:candidate-3',
  candidate4: 'meshops:candidate-4',
  candidate5: 'meshops:candidate-5',
  history: 'meshops:history',
  status: 'meshops:status',
  help: 'meshops:help',
} as const;
export type ActionId = (typeof ACTION)[keyof typeof ACTION];

/** As many Services are offered as buttons; the words name the rest. */
export const CANDIDATES = [ACTION.candidate1, ACTION.candidate2, ACTION.candidate3, ACTION.candidate4, ACTION.candidate5] as const;

const PLAN_HASH_DIGITS = 16;

/** JSON of at most 2,000 characters, Slack's limit for a button's value: names of Kubernetes objects keep far below it. */
export function encodeButton(ids: ButtonIds): string {
  return JSON.stringify({
    w: ids.workflowId,
    r: ids.runId,
    o: ids.opId,
    ...(ids.gateId === undefined ? {} : { g: ids.gateId }),
    ...(ids.planHash === undefined ? {} : { h: ids.planHash.slice(0, PLAN_HASH_DIGITS) }),
    ...(ids.candidate === undefined ? {} : { c: ids.candidate }),
  });
}

/** Of one target, or of a whole cluster. */
const WORKFLOW_ID = /^mesh\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/(?:[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}|\*\/\*)$/;
const RUN_ID = /^[A-Za-z0-9-]{1,64}$/;
const OP_ID = /^[a-z0-9-]{1,80}$/;
const GATE_ID = /^g\d{1,6}$/;
const SERVICE_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const PLAN_HASH = /^[0-9a-f]{12,64}$/;

/** Reads a button's value; undefined when it is not one of ours. */
export function parseButton(value: string): ButtonIds | undefined {
  if (value.length > 2_000) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { w, r, o, g, h, c } = fields as Readonly<Record<string, unknown>>;
  if (!matches(w, WORKFLOW_ID) || !matches(r, RUN_ID) || !matches(o, OP_ID)) return undefined;
  if (g !== undefined && !matches(g, GATE_ID)) return undefined;
  if (h !== undefined && !matches(h, PLAN_HASH)) return undefined;
  if (c !== undefined && !matches(c, SERVICE_NAME)) return undefined;
  return {
    workflowId: w,
    runId: r,
    opId: o,
    ...(g === undefined ? {} : { gateId: g }),
    ...(h === undefined ? {} : { planHash: h }),
    ...(c === undefined ? {} : { candidate: c }),
  };
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
