export interface Origin {
  readonly teamId: string;
  readonly appId: string | undefined;
  readonly channelId: string;
  readonly userId: string;
  /** Slack's trigger_id: another one for every click and command, the same in a replay. */
  readonly triggerId: string;
}

export function requestIdOf(origin: Origin): string {
  return `slack:${origin.triggerId}`;
}
