/** Worker thread: the load generator, so that a busy main thread cannot thin out the arrivals. */
import { parentPort, workerData } from 'node:worker_threads';
import { createRandom } from '../random.ts';
import { startLoad } from './load.ts';
import { openSender } from './load-target.ts';
import type { LoadData, LoadReply, LoadRequest } from './messages.ts';

const data = workerData as LoadData;
const random = createRandom(data.seed);
const sender = await openSender(data.target, { ...data, random });
const load = startLoad({ ...data, sender, random, now: () => performance.now() });

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
