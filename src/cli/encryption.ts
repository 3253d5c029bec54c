import { connectCluster } from '../clients/kubernetes/cluster.ts';
import { formatConfigError, readConfigFile } from '../config/read.ts';
import { kubeConfigOf } from '../connect/kubernetes.ts';
import { advise } from '../domain/encryption/advise.ts';
import { type Pairs, pairsOf } from '../domain/encryption/pairs.ts';
import { disagrees, type Reading, readEncryption } from '../domain/encryption/reading.ts';
import { modeName } from '../domain/encryption/refusals.ts';
import { MOST_NAMED, nodeWords, statusWords } from '../domain/encryption/words.ts';
import { readEncryptionFacts } from '../reading/nodes/encryption.ts';
import type { CliOptions } from './database.ts';
import { visible } from './visible.ts';

export type EncryptionRead = 'status' | 'advise';

export interface EncryptionReadOptions extends Omit<CliOptions, 'environment'> {
  readonly what: EncryptionRead;
  /** Left out: the only one of the configuration. */
  readonly cluster?: string;
  readonly json: boolean;
}

/**
 * Says what encrypts the traffic between nodes, or what suits the cluster. Exit code: 0; `status` 1 where something does not agree or
 * loses traffic; 2 when the configuration cannot be read or does not have the cluster. Throws when the cluster does not answer.
 */
export async function encryptionRead({ configPath, what, json, print, signal, ...options }: EncryptionReadOptions): Promise<number> {
  const read = await readConfigFile(configPath);
  if (!read.ok) {
    for (const error of read.errors) print(`✗ ${formatConfigError(configPath, error)}`);
    return 2;
  }
  const { clusters } = read.config;
  const names = Object.keys(clusters);
  const name = options.cluster ?? (names.length === 1 ? names[0] : undefined);
  const config = name !== undefined && Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (name === undefined || !config) {
    print(`${name === undefined ? 'Which cluster?' : `There is no cluster ${name}.`} There are ${names.join(', ')}.`);
    return 2;
  }
  const cluster = connectCluster(kubeConfigOf(config), config);
  try {
    const reading = readEncryption(await readEncryptionFacts(cluster, name, Date.now(), signal));
    return what === 'advise' ? printAdvice(reading, json, print) : printStatus(reading, json, print);
  } finally {
    cluster.close();
  }
}

type Print = (line: string) => void;

function printStatus(reading: Reading, json: boolean, print: Print): number {
  const pairs = pairsOf(reading);
  const { head, paragraphs } = statusWords(reading, pairs);
  const differing = reading.nodes.filter(disagrees);
  if (json) print(JSON.stringify({ head, ...reading, pairs: pairs.counts }));
  else {
    print(visible(head));
    for (const { strong, text } of paragraphs) print(visible(strong === undefined ? text : `${strong} ${text}`));
    // A message names ten; a terminal has room for all.
    for (const node of differing.slice(MOST_NAMED)) print(visible(`  ${node.name}: ${nodeWords(node)}`));
    for (const line of matrixLines(pairs)) print(visible(line));
  }
  return differing.length > 0 || pairs.counts.broken > 0 ? 1 : 0;
}

/** A terminal of 80 columns holds so many nodes. */
const MOST_COLUMNS = 18;
const LONGEST_NAME = 20;
const SIGNS = { encrypted: 'E', plain: '-', broken: 'X', changing: '~', unknown: '?' } as const;

function matrixLines({ nodes, rows }: Pairs): readonly string[] {
  if (nodes.length < 2 || nodes.length > MOST_COLUMNS) return [];
  const width = Math.min(LONGEST_NAME, Math.max(...nodes.map((name) => name.length)));
  const head = `${' '.repeat(width + 4)}${nodes.map((_, index) => String(index + 1).padStart(2)).join(' ')}`;
  const lines = rows.map((states, row) => {
    const name = (nodes[row] ?? '').slice(0, width).padEnd(width);
    return `${String(row + 1).padStart(2)}  ${name}${states.map((state) => (state === undefined ? '  ' : ` ${SIGNS[state]}`)).join(' ')}`;
  });
  return [head, ...lines, 'rows send, columns receive: E encrypted, - plain, X broken, ~ changing, ? not known'];
}

function printAdvice(reading: Reading, json: boolean, print: Print): number {
  const advice = advise(reading);
  if (json) {
    print(JSON.stringify({ cluster: reading.facts.cluster, ...advice }));
    return 0;
  }
  print(visible(`Encryption ${reading.facts.cluster}: ${modeName(advice.choice)} is advised`));
  for (const { words, source } of advice.reasons) print(visible(`  why      ${words} (${source})`));
  for (const { words, source } of advice.beware) print(visible(`  beware   ${words} (${source})`));
  for (const { reason, way } of advice.inTheWay) print(visible(`  in the way today: ${reason} ${way}`));
  if (advice.order !== undefined) print(visible(`  order    ${advice.order}`));
  print(visible(`  Helm values: ${advice.values.join(', ')}`));
  return 0;
}
