/** Worker thread: the load generator, so that a busy main thread cannot thin out the arrivals. */
import { parentPort, workerData } from 'node:worker_threads';
import { createRandom } from '../random.ts';
import { startLoad } from './load.ts';
import type { LoadData, LoadReply, LoadRequest } from './messages.ts';

const data = workerData as LoadData;
const load = startLoad({ ...data, random: createRandom(data.seed), now: () => performance.now() });

parentPort?.on('message', (message: LoadRequest) => {
  switch (message.do) {
    case 'rate':
      load.setRate(message.requestsPerSecond);
      return;
    case 'counts': {
      const reply: LoadReply = { counts: load.counts, cpu: performance.eventLoopUtilization().utilization };
      parentPort?.postMessage(reply);
      return;
    }
    default:
      message satisfies never;
  }
});
