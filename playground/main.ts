import { Command, InvalidArgumentError, Option } from 'commander';
import { reasonOf } from './cluster/failure.ts';
import { progressPrinter } from './cluster/progress.ts';
import type { NodeCount } from './real/addresses.ts';
import { pageDoor } from './real/door.ts';
import { isInside } from './real/enter.ts';
import { realNodesOption } from './real/options.ts';
import { enterReal, layReal } from './real/start.ts';
import { offerCandidates } from './rig/candidates.ts';
import { type Rig, startRig } from './rig/rig.ts';

/** `npm run playground`: everything on this machine, and one page to use it. */
interface Options {
  readonly port: number;
  readonly preset: 'ideal' | 'cluster';
  readonly seed: number;
  readonly real?: boolean;
  readonly jitter: string;
  readonly nodes: NodeCount;
}

const interrupted = new AbortController();
function onSignal(signal: NodeJS.Signals): void {
  // The second one does not wait for anything; the warden ends the children all the same.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort(new Error(`Stopped by ${signal}.`));
}
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) throw new InvalidArgumentError('Write a whole number from 1 to 65535.');
  return value;
}

const PAGE =
  '  Type  /mesh canary backend 10%   as Operator, switch to Reviewer, press Approve, then break the canary in the panel.\n  Or      /policy enforce frontend, and /policy enforce database, whose policy forgets a client.';

function around(rig: Rig): readonly string[] {
  const { stack, cilium } = rig;
  return [
    `  Temporal    ${stack.temporal.uiUrl}`,
    `  Prometheus  ${stack.prometheus.url}`,
    `  Kubernetes  KUBECONFIG=${stack.kube.kubeconfig('admin')}`,
    `  Gateway     ${cilium.gateway.url}`,
    `  Logs        ${stack.dir}`,
  ];
}

function ready(rig: Rig, startedAt: number): string {
  const { nodes } = rig.cilium;
  const real = `  Real Cilium on ${nodes.map(({ name }) => name).join(', ')}. All but the page is in namespaces of its own, out of reach from here.`;
  return [
    '',
    `ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s: open ${rig.slack.url}`,
    '',
    PAGE,
    '',
    ...(isInside(process.env) ? [real] : around(rig)),
    '',
    'Ctrl-C ends it all.',
    '',
  ].join('\n');
}

const program = new Command('npm run playground --')
  .description(
    'Starts the whole of meshops on this machine: real Kubernetes API, Temporal, Envoy and Prometheus, a simulated Slack, and Cilium, simulated or real.',
  )
  .option('--port <n>', 'port of the page', wholeNumber, 4000)
  .option('--seed <n>', 'chance of the load and of the delays', wholeNumber, 1)
  .option('--real', 'real Cilium nodes, in namespaces of their own (as root)')
  .option('--jitter <duration>', "real nodes' identity-max-jitter; Cilium's own default is 30s", '2s')
  .addOption(realNodesOption())
  .addOption(new Option('--preset <name>', 'delays of the simulated Cilium').choices(['ideal', 'cluster']).default('ideal'));

program.action(async ({ port, preset, seed, real, nodes, jitter: identityMaxJitter }: Options) => {
  const { signal } = interrupted;
  const { env } = process;
  const progress = progressPrinter(process.stdout);
  if (real && !isInside(env)) {
    process.exitCode = await enterReal(env, progress, signal, port);
    return;
  }
  const startedAt = Date.now();
  const fd = pageDoor(env);
  const rig = await startRig({
    signal,
    progress,
    preset,
    seed,
    pace: 'demo',
    pagePort: fd === undefined ? port : { fd },
    split: true,
    ...(real && { real: { programs: await layReal(nodes, env, progress, signal), nodes, identityMaxJitter } }),
  });
  await offerCandidates(rig, signal);
  process.stdout.write(ready(rig, startedAt));
  const stopAsked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([stopAsked, rig.stack.warden.ended]);
  process.stdout.write('\nStopping…\n');
  await rig.stop();
  process.stdout.write('Stopped; nothing is left running.\n');
});

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
