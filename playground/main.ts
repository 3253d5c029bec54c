import { Command, InvalidArgumentError, Option } from 'commander';
import { reasonOf } from './cluster/failure.ts';
import { progressPrinter } from './cluster/progress.ts';
import { type Rig, startRig } from './rig/rig.ts';

/** `npm run playground`: everything on this machine, and one page to use it. */
interface Options {
  readonly port: number;
  readonly preset: 'ideal' | 'cluster';
  readonly seed: number;
}

const interrupted = new AbortController();
const onSignal = (signal: NodeJS.Signals): void => {
  // The second one does not wait for anything; the warden ends the children all the same.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort(new Error(`Stopped by ${signal}.`));
};
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) throw new InvalidArgumentError('Write a whole number from 1 to 65535.');
  return value;
};

function ready(rig: Rig, startedAt: number): string {
  return [
    '',
    `ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s: open ${rig.slack.url}`,
    '',
    '  Type  /mesh canary backend 10%   as Operator, switch to Reviewer, press Approve, then break the canary in the panel.',
    '',
    `  Temporal    ${rig.stack.temporal.uiUrl}`,
    `  Prometheus  ${rig.stack.prometheus.url}`,
    `  Kubernetes  KUBECONFIG=${rig.stack.kube.kubeconfig('admin')}`,
    `  Gateway     ${rig.cilium.gateway.url}`,
    `  Logs        ${rig.stack.dir}`,
    '',
    'Ctrl-C ends it all.',
    '',
  ].join('\n');
}

const program = new Command('npm run playground --')
  .description(
    'Starts the whole of meshops on this machine: real Kubernetes API, Temporal, Envoy and Prometheus, a simulated Cilium and Slack.',
  )
  .option('--port <n>', 'port of the page', wholeNumber, 4000)
  .option('--seed <n>', 'chance of the load and of the delays', wholeNumber, 1)
  .addOption(new Option('--preset <name>', 'delays of the simulated Cilium').choices(['ideal', 'cluster']).default('ideal'));

program.action(async ({ port, preset, seed }: Options) => {
  const { signal } = interrupted;
  const startedAt = Date.now();
  const rig = await startRig({
    signal,
    progress: progressPrinter(process.stdout),
    preset,
    seed,
    pace: 'demo',
    pagePort: port,
    split: true,
  });
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
