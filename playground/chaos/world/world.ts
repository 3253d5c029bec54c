import { type Admission, createAdmission } from '../../../src/slack/admission.ts';
import { Random } from '../random.ts';
import { TemporalServer } from '../temporal/server.ts';
import { loadWorkflows } from '../temporal/vm.ts';
import { VirtualTime } from '../virtual-time.ts';
import { Agents } from './agents.ts';
import { ApiServer } from './api-server.ts';
import { Clocks } from './clocks.ts';
import { Counters } from './counters.ts';
import { Faults } from './faults.ts';
import { Mesh, NODES } from './mesh.ts';
import { composeProduct, type Product } from './product.ts';
import { configOf, type WorldOptions } from './settings.ts';
import { SlackModel } from './slack.ts';
import { Traffic } from './traffic.ts';
import { Workload } from './workload.ts';

const STARTS_AT = Date.UTC(2026, 0, 5, 9);

/** Everything there is: the mesh, what the product leans on, and the product itself. */
export interface World {
  readonly seed: number;
  readonly options: WorldOptions;
  readonly random: Random;
  readonly time: VirtualTime;
  readonly clocks: Clocks;
  readonly faults: Faults;
  readonly api: ApiServer;
  readonly mesh: Mesh;
  readonly agents: Agents;
  readonly slack: SlackModel;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly temporal: TemporalServer;
  readonly product: Product;
  readonly admission: Admission;
}

/** A world at rest: nothing runs, all traffic goes to the stable version. Its timers are installed: `time.uninstall()` ends that. */
export async function createWorld(seed: number, options: WorldOptions): Promise<World> {
  await loadWorkflows();
  const random = new Random(seed);
  const time = new VirtualTime(STARTS_AT);
  time.install();
  const clocks = new Clocks(time, options.clocks);
  const faults = new Faults(time, random);
  const api = new ApiServer(time);
  const mesh = new Mesh(api, time, { routes: options.routes ?? 1, rules: options.rules ?? 1 });
  mesh.controllerMs = options.controllerMs ?? mesh.controllerMs;
  const agents = new Agents(Object.values(NODES), faults, time, clocks);
  const slack = new SlackModel(time, faults);
  const counters = new Counters();
  const traffic = new Traffic(time, mesh, agents, random, counters);
  const workload = new Workload(api, time, agents, options.overlap ?? false);
  const temporal = new TemporalServer({
    time,
    clock: clocks.temporal,
    seed: () => random.whole(2 ** 32),
    choose: (workers) => random.one(workers),
    limits: {
      ...(options.events !== undefined && { events: options.events }),
      ...(options.payload !== undefined && { payload: options.payload }),
    },
  });
  const product = await composeProduct({ time, clocks, faults, api, agents, slack, temporal, config: configOf(options), counters, seed });
  for (let count = 0; count < (options.workers ?? 1); count += 1) temporal.join(product.newWorker('worker'));
  traffic.start();
  if (options.policies) workload.start();
  return {
    seed,
    options,
    random,
    time,
    clocks,
    faults,
    api,
    mesh,
    agents,
    slack,
    traffic,
    workload,
    temporal,
    product,
    admission: createAdmission(product.bot),
  };
}
