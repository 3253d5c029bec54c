// Slack's limits in numbers. Sources: docs.slack.dev (rate limits, interactivity, modals) as noted in the project's facts.

/** Calls per minute: 1 to 4 are Slack's tiers; `post` is chat.postMessage (its own rule besides this workspace cap). */
export type Tier = 1 | 2 | 3 | 4 | 'post' | 'connect' | 'none';

export interface Limits {
  readonly ackMs: number;
  readonly triggerMs: number;
  readonly responseUrlMs: number;
  readonly responseUrlUses: number;
  readonly perMinute: Readonly<Record<Exclude<Tier, 'none'>, number>>;
  /** chat.postMessage and other new messages in one channel: steady rate and how many may come at once. */
  readonly postPerSecond: number;
  readonly postBurst: number;
  readonly maxSockets: number;
  readonly modalDepth: number;
  readonly textChars: number;
  readonly messageBlocks: number;
  readonly viewBlocks: number;
  /** Milliseconds before an event that was not acknowledged is sent again, one entry for each retry. */
  readonly eventRetryMs: readonly number[];
}

export const slackLimits: Limits = {
  ackMs: 3_000,
  triggerMs: 3_000,
  responseUrlMs: 30 * 60_000,
  responseUrlUses: 5,
  // apps.connections.open is tier 1 on paper; two replicas that restart together still get their connections.
  perMinute: { 1: 1, 2: 20, 3: 50, 4: 100, post: 300, connect: 20 },
  postPerSecond: 1,
  postBurst: 4,
  maxSockets: 10,
  modalDepth: 3,
  textChars: 40_000,
  messageBlocks: 50,
  viewBlocks: 100,
  eventRetryMs: [0, 60_000, 300_000],
};
