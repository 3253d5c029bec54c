/** Handshakes that may be under way at once. */
const AT_ONCE = 4;
/** One that takes longer holds nobody up (ms): its peer is far away or dead, and answers come apart anyway. */
const LONGEST_MS = 25;

/**
 * Begins TLS connections a few at a time. A handshake costs its client 1 to 2 ms of the processor (a key exchange, the server's chain, a signature
 * with a client certificate), and the event loop does all that are ready in one turn: 32 at once were 45 ms in which no fuse fired.
 */
export interface Handshakes {
  /** Calls `begin` now or later, never twice; it calls `done` once the handshake is over, well or badly. */
  pace(begin: (done: () => void) => void): void;
}

export function createHandshakes(): Handshakes {
  const waiting: ((done: () => void) => void)[] = [];
  let underWay = 0;
  const next = (): void => {
    while (underWay < AT_ONCE) {
      const begin = waiting.shift();
      if (!begin) return;
      underWay += 1;
      let isDone = false;
      const done = (): void => {
        if (isDone) return;
        isDone = true;
        clearTimeout(timer);
        underWay -= 1;
        next();
      };
      const timer = setTimeout(done, LONGEST_MS);
      timer.unref();
      begin(done);
    }
  };
  return {
    pace(begin) {
      waiting.push(begin);
      next();
    },
  };
}

/** Those of this process: they share one event loop. */
export const ownHandshakes = createHandshakes();
