// How many edits of messages this process may send: chat.update is a tier 3 method, about 50 calls a minute for the workspace.

export interface Pace {
  /** True when an edit that can be left out may be sent now. */
  mayEdit(): boolean;
  /** An edit is sent, of whichever kind: those that may be left out give way to those that may not. */
  spend(): void;
  /** No edit until then (epoch ms): Slack has asked to wait. */
  holdUntil(at: number): void;
}

/** A bucket of `perMinute` edits that refills evenly, and can owe as many as it holds. `now` in epoch ms. */
export function createPace(perMinute: number, now: () => number): Pace {
  const burst = Math.max(1, Math.floor(perMinute / 6));
  let tokens = burst;
  let filledAt = now();
  let held = 0;
  const fill = (at: number): void => {
    tokens = Math.min(burst, tokens + (Math.max(0, at - filledAt) / 60_000) * perMinute);
    filledAt = at;
  };
  return {
    mayEdit() {
      const at = now();
      fill(at);
      return at >= held && tokens >= 1;
    },
    spend() {
      fill(now());
      tokens = Math.max(-burst, tokens - 1);
    },
    holdUntil(at) {
      held = Math.max(held, at);
    },
  };
}
