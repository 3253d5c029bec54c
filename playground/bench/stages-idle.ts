import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IdleReport, IdleWord } from './stages-words.ts';

/** A bare event loop: how late it is says what the machine, and nobody's code, does to every loop on it. */
const delay = monitorEventLoopDelay({ resolution: 1 });

process.on('message', (word: IdleWord) => {
  if (word === 'begin') {
    delay.reset();
    delay.enable();
    return;
  }
  delay.disable();
  process.send?.({ longestMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 } satisfies IdleReport);
});
