import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';
import type { AgentsOrder, AgentsWord, WorkerOrder, WorkerWord } from './fleet-words.ts';
import { quantiles } from './quantiles.ts';

/** Many operations on one worker: what they cost together, and how long a verdict takes among them. */
const NODES = 200;
const WATCHES = 2_000;
const REQUESTS_PER_SECOND = 2_000;
const BREAKS = 60;
const SETTLE_MS = 10_000;
const BETWEEN_MS = 250;
/** On a busy machine the last of them may be undone much later: how late is what is measured, not whether. */
const LATEST_MS = 30_000;

function start(file: string, order: AgentsOrder | WorkerOrder): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(order)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Waits for a word of a child; rejects when the child ends before. */
function wordOf<Word extends { readonly word: string }, Kind extends Word['word']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Word, { readonly word: Kind }>> {
  return new Promise((resolve, reject) => {
    const hear = (word: Word): void => {
      if (word.word !== kind) return;
      child.off('message', hear);
      resolve(word as Extract<Word, { readonly word: Kind }>);
    };
    child.on('message', hear);
    child.once('exit', (code) => reject(new Error(`A process of the bench ended (${code}).`)));
  });
}

export const fleet: Bench = {
  name: 'fleet',
  what: `${WATCHES.toLocaleString('en')} watches on one worker over ${NODES} nodes: memory, processor, verdict delay, streams`,
  run: async ({ signal }) => {
    const agents = start('fleet-agents.ts', { nodes: NODES, targets: WATCHES, requestsPerSecond: REQUESTS_PER_SECOND });
    const children = [agents];
    try {
      const { nodes } = await wordOf<AgentsWord, 'ready'>(agents, 'ready');
      const worker = start('fleet-worker.ts', { nodes, targets: WATCHES });
      children.push(worker);
      return await measure(agents, worker, signal);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  },
};

async function measure(agents: ChildProcess, worker: ChildProcess, signal: AbortSignal) {
  const usage: Extract<WorkerWord, { word: 'usage' }>[] = [];
  const undone = new Map<number, number>();
  const ended = new Map<string, number>();
  const why = new Map<string, number>();
  worker.on('message', (word: WorkerWord) => {
    if (word.word === 'usage') usage.push(word);
    if (word.word === 'undone') undone.set(word.target, word.at);
    if (word.word !== 'ended') return;
    ended.set(word.kind, (ended.get(word.kind) ?? 0) + 1);
    const reason = word.why.replaceAll(/\d[\d.]*/g, 'n');
    if (reason !== '') why.set(reason, (why.get(reason) ?? 0) + 1);
  });
  await wordOf<WorkerWord, 'watching'>(worker, 'watching');
  await sleep(SETTLE_MS, undefined, { signal });
  const before = usage.at(-1);
  const broken = new Map<number, number>();
  agents.on('message', (word: AgentsWord) => {
    if (word.word === 'broken') broken.set(word.target, word.at);
  });
  for (let nth = 0; nth < BREAKS; nth += 1) {
    agents.send({ break: Math.floor((nth * WATCHES) / BREAKS) });
    await sleep(BETWEEN_MS, undefined, { signal });
  }
  const after = usage.at(-1);
  const late = performance.now() + LATEST_MS;
  while ([...broken.keys()].some((target) => !undone.has(target)) && performance.now() < late) await sleep(100, undefined, { signal });
  // Whoever is undone without having been broken is so a moment later.
  await sleep(3_000, undefined, { signal });
  const streams = wordOf<AgentsWord, 'streams'>(agents, 'streams');
  agents.send({ streams: true });
  const { most, open, ever } = await streams;
  const seconds = usage.length - (before ? usage.indexOf(before) : 0) - 1 || 1;
  const delays = [...broken].flatMap(([target, at]) => (undone.has(target) ? [(undone.get(target) ?? 0) - at] : []));
  return {
    watches: WATCHES,
    nodes: NODES,
    rssMiB: Math.round(Math.max(...usage.map(({ rssMiB }) => rssMiB))),
    heapMiB: Math.round(after?.heapMiB ?? 0),
    cpuShare: Math.round((((after?.cpuMs ?? 0) - (before?.cpuMs ?? 0)) / (seconds * 1_000)) * 100) / 100,
    flowsPerSecond: Math.round(((after?.heard ?? 0) - (before?.heard ?? 0)) / seconds),
    streamsOpen: open,
    streamsEver: ever,
    mostStreamsOfOneNode: most,
    broken: broken.size,
    undone: delays.length,
    wrongly: [...undone.keys()].filter((target) => !broken.has(target)).length,
    firstFailureToUndoMs: quantiles(delays),
    ended: Object.fromEntries(ended),
    why: Object.fromEntries(why),
    // The longest time in which the worker did not come round: what the machine, not meshops, adds to each delay.
    workerAwayMs: Math.round(Math.max(...usage.map(({ awayMs }) => awayMs))),
  };
}
