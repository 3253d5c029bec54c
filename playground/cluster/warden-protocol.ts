import { z } from 'zod';

/** A child to start, as the stack tells its warden. */
export const StartOrder = z.object({
  kind: z.literal('start'),
  id: z.number(),
  name: z.string(),
  command: z.string(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
  logFile: z.string(),
});
export type StartOrder = z.infer<typeof StartOrder>;

/** Lines from the stack to its warden. `end` and the end of the stream mean the same: stop everything and exit. */
export const Order = z.discriminatedUnion('kind', [
  StartOrder,
  z.object({
    kind: z.literal('signal'),
    id: z.number(),
    signal: z.enum(['SIGTERM', 'SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGHUP', 'SIGINT', 'SIGUSR1']),
  }),
  z.object({ kind: z.literal('end') }),
]);
export type Order = z.infer<typeof Order>;

/** Signals that a person may send to a child. */
export type ChildSignal = Extract<Order, { kind: 'signal' }>['signal'];

/** Lines from the warden to the stack. */
export const Word = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('started'), id: z.number(), pid: z.number() }),
  z.object({ kind: z.literal('failed'), id: z.number(), reason: z.string() }),
  z.object({ kind: z.literal('exited'), id: z.number(), code: z.number().nullable(), signal: z.string().nullable() }),
]);
export type Word = z.infer<typeof Word>;

const Identity = z.object({ pid: z.number(), startTicks: z.string(), boot: z.string() });

/** What a warden writes down, so that the next start can clean up after one that was killed. */
export const WardenRecord = z.object({
  owner: Identity,
  warden: Identity,
  children: z.array(Identity.extend({ name: z.string() })),
});
export type WardenRecord = z.infer<typeof WardenRecord>;

export const RECORD_FILE = 'warden.json';
