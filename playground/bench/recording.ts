import { readFlows } from '../../src/documents/flows/recording.ts';
import { DryRunner } from '../../src/domain/policy/dryrun/dry-run.ts';
import { parsePolicy } from '../../src/domain/policy/parse.ts';
import { step } from '../cluster/progress.ts';
import type { Bench } from './bench.ts';

const MILLION = 1_000_000;
/** Lines of a piece that is read at once. */
const PIECE = 100;
const MIB = 1024 * 1024;

/** Each line is a connection of its own, so that nothing is saved by knowing it already. */
export const recording: Bench = {
  name: 'recording',
  what: 'a dry-run over 10 million lines of a recording (--runs: millions), streamed: time and memory',
  run: async ({ signal, progress, runs = 10 }) => {
    const parsed = parsePolicy(CANDIDATE);
    if (!parsed.ok) throw new Error(parsed.error);
    const runner = new DryRunner({ inForce: [], candidate: parsed.policy });
    // What all benches together have loaded counts for none of it.
    const atStart = process.memoryUsage.rss();
    let most = 0;
    const began = performance.now();
    await step(progress, `${runs} million lines`, async (say) => {
      let read = 0;
      for await (const batch of readFlows(linesOf(runs * MILLION))) {
        signal.throwIfAborted();
        for (const { flow } of batch) runner.take(flow);
        most = Math.max(most, process.memoryUsage.rss());
        read += batch.length;
        if (read % MILLION < batch.length) say(`${Math.floor(read / MILLION)} million read, ${Math.round(most / MIB)} MiB`);
      }
      return { value: undefined, detail: `${Math.round(most / MIB)} MiB` };
    });
    const seconds = (performance.now() - began) / 1_000;
    const { records, stillAllowed, wouldDrop, unreadable } = runner.result();
    return {
      lines: runs * MILLION,
      records,
      unreadable,
      stillAllowed,
      wouldDrop: wouldDrop.reduce((sum, { count }) => sum + count, 0),
      seconds: Math.round(seconds),
      linesPerSecond: Math.round(records / seconds),
      mostMemoryMiB: Math.round(most / MIB),
      atStartMiB: Math.round(atStart / MIB),
    };
  },
};

const CANDIDATE = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name: 'api', namespace: 'shop' },
  spec: {
    endpointSelector: { matchLabels: { app: 'api' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: 'web' } }], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] }],
  },
};

async function* linesOf(lines: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < lines; at += PIECE) {
    yield Buffer.from(Array.from({ length: Math.min(PIECE, lines - at) }, (_, index) => lineOf(at + index)).join(''));
  }
}

/** One in ten comes from a pod that the candidate does not admit. */
function lineOf(at: number): string {
  const app = at % 10 === 0 ? 'batch' : 'web';
  const address = `10.${(at >> 22) & 255}.${(at >> 14) & 255}.${(at >> 6) & 255}`;
  const labels = (name: string): string =>
    `["k8s:app=${name}","k8s:io.kubernetes.pod.namespace=shop","k8s:io.cilium.k8s.policy.cluster=default","k8s:io.cilium.k8s.policy.serviceaccount=default"]`;
  return `{"flow":{"time":"2026-11-20T10:00:00.000000000Z","uuid":"u${at}","verdict":"FORWARDED","IP":{"source":"${address}","destination":"10.0.2.20","ipVersion":"IPv4"},"l4":{"TCP":{"source_port":${1_024 + (at % 60_000)},"destination_port":8080,"flags":{"SYN":true}}},"source":{"identity":1,"namespace":"shop","labels":${labels(app)},"pod_name":"${app}-1"},"destination":{"identity":2,"namespace":"shop","labels":${labels('api')},"pod_name":"api-1"},"Type":"L3_L4","node_name":"n1","is_reply":false,"event_type":{"type":5},"traffic_direction":"INGRESS"},"node_name":"n1","time":"2026-11-20T10:00:00Z"}\n`;
}
