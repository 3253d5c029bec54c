// Starts the real parts of the playground and nothing else: `node playground/cluster/main.ts [folder]`. Ctrl-C ends it.
import { reasonOf } from './failure.ts';
import { progressPrinter } from './progress.ts';
import { type Stack, startStack } from './stack.ts';
import { KUBE_USER_NAMES } from './users.ts';

function describe(stack: Stack): string {
  return [
    '',
    `Kubernetes  ${stack.kube.url}`,
    ...KUBE_USER_NAMES.map((user) => `            KUBECONFIG=${stack.kube.kubeconfig(user)}`),
    `Temporal    ${stack.temporal.address}, page ${stack.temporal.uiUrl}`,
    `Prometheus  ${stack.prometheus.url}`,
    `Folder      ${stack.dir}`,
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

const interrupted = new AbortController();
const onSignal = (signal: NodeJS.Signals): void => interrupted.abort(new Error(`Stopped by ${signal}.`));
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

async function main(dir: string | undefined): Promise<void> {
  const { signal } = interrupted;
  const stack = await startStack({ signal, progress: progressPrinter(process.stdout), ...(dir === undefined ? {} : { dir }) });
  process.stdout.write(describe(stack));
  const stopAsked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([stopAsked, stack.warden.ended]);
  await stack.stop();
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
});
