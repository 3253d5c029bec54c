/** Runs the stack and the simulated mesh alone, until Ctrl-C: `node playground/cilium/main.ts [ideal|cluster] [seed]`. */
import { progressPrinter } from '../cluster/progress.ts';
import { startStack } from '../cluster/stack.ts';
import { startCilium } from './cilium.ts';
import { type Preset, presets } from './delays.ts';

const isPreset = (text: string): text is Preset => text in presets;

const [preset = 'ideal', seed = '1'] = process.argv.slice(2);
if (!isPreset(preset)) throw new Error(`There is no preset ${preset}. Use one of: ${Object.keys(presets).join(', ')}.`);

const ending = new AbortController();
process.once('SIGINT', () => ending.abort());
process.once('SIGTERM', () => ending.abort());

const stack = await startStack({ signal: ending.signal, progress: progressPrinter(process.stderr) });
try {
  const cilium = await startCilium({
    stack,
    preset,
    seed: Number(seed),
    signal: ending.signal,
    progress: (text) => void process.stderr.write(`… ${text}\n`),
  });
  const lines = [
    `Gateway     ${cilium.gateway.url}  (${cilium.gateway.address} in the cluster)`,
    ...cilium.nodes.map((node) => `Observer    ${node.hubbleAddress}  (${node.name})`),
    `Its TLS     ${Object.values(cilium.hubbleTls).join(', ')}  (for names *.default.hubble-grpc.cilium.io)`,
    `Envoy       ${cilium.metrics.envoy}`,
    `Prometheus  ${'url' in stack.prometheus ? stack.prometheus.url : ''}`,
    `kubectl     --kubeconfig ${stack.kube.kubeconfig('admin')}`,
  ];
  process.stdout.write(`${lines.join('\n')}\nCtrl-C ends it.\n`);
  await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve(), { once: true }));
  await cilium.stop();
} finally {
  await stack.stop();
}
