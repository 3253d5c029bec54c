import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type IdleReport, type IdleWord, pauseOf, RESOLUTION_MS } from './stages-words.ts';

/** A bare event loop: how late it is says what the machine, and nobody's code, does to every loop on it. */
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

process.on('message', (word: IdleWord) => {
  if (word === 'begin') {
    delay.reset();
    delay.enable();
    return;
  }
  delay.disable();
  process.send?.({ longestMs: pauseOf(delay.max), p99Ms: pauseOf(delay.percentile(99)) } satisfies IdleReport);
});
