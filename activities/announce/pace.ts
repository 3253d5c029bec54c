// How many edits of messages this process may send: chat.update is a tier 3 method, about 50 calls a minute for the workspace.

export interface Pace {
  /** True when one edit may be sent now. */
  take(): boolean;
  /** No edit until then (epoch ms): Slack has asked to wait. */
  holdUntil(at: number): void;
}

/** A bucket of `perMinute` edits that refills evenly. `now` in epoch ms. */
export function createPace(perMinute: number, now: () => number): Pace {
  const burst = Math.max(1, Math.floor(perMinute / 6));
  let tokens = burst;
  let filledAt = now();
  let held = 0;
  return {
    take() {
      const at = now();
      tokens = Math.min(burst, tokens + (Math.max(0, at - filledAt) / 60_000) * perMinute);
      filledAt = at;
      if (at < held || tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    holdUntil(at) {
      held = Math.max(held, at);
    },
  };
}
