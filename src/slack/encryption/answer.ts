// `/encryption status` and `advise`: read, said in the channel, nothing changed.
import type { KnownBlock } from '@slack/types';
import type { EncryptionCommand } from '../../domain/commands/command.ts';
import { type Advice, advise, type Sourced } from '../../domain/encryption/advise.ts';
import { pairsOf } from '../../domain/encryption/pairs.ts';
import { disagrees, type Reading, readEncryption } from '../../domain/encryption/reading.ts';
import { modeName } from '../../domain/encryption/refusals.ts';
import { MOST_NAMED, nodeTable, type StatusWords, statusWords } from '../../domain/encryption/words.ts';
import type { Target } from '../../domain/target.ts';
import { clockTime, code, cut, said } from '../../domain/words/words.ts';
import { MATRIX_ZOOM, matrixAlt, matrixSvg } from '../../messages/matrix.ts';
import { type Answer, say, sayPlain, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { afterwards } from '../policy/afterwards.ts';
import { clusterSilent } from '../policy/candidate.ts';
import type { Later, PolicyAsked } from '../policy/parts.ts';
import { noteAsked, refused } from '../policy/refuse.ts';
import { refusalOf } from '../refusals.ts';
import { isRefused } from '../rules.ts';

/** A cluster of hundreds of nodes is hundreds of pages. */
const READ_MS = 30_000;
/** More nodes than this come as a table in a file as well. */
const LONG = 12;
const PARAGRAPH_CHARS = 2_800;

export async function answerEncryption(deps: BotDeps, asked: PolicyAsked, command: EncryptionCommand, later: Later): Promise<Answer> {
  const { cluster, kind } = command;
  // A cluster has encryption once: there is no namespace to ask for.
  const place = { namespace: 'encryption', name: 'encryption', ...(cluster !== undefined && { cluster }) };
  const target = asked.rule.resolve(place, kind);
  if (isRefused(target)) return refused(deps, asked, target);
  noteAsked(deps, asked, target);
  const work = async (): Promise<Answer | undefined> => {
    let reading: Reading;
    try {
      reading = readEncryption(await deps.encryption.facts(target.cluster, AbortSignal.timeout(READ_MS)));
    } catch (error) {
      return sayPlain(refusalOf(clusterSilent(target.cluster, error)).words);
    }
    if (kind === 'encryption advise') await publish(deps, asked, adviceAnswer(reading));
    else await publishStatus(deps, asked, reading, target);
    return undefined;
  };
  const full = afterwards(deps, later, work, asked.actor.id);
  return full ?? say(`Reading the encryption of ${code(target.cluster)}. The answer comes in this channel; nothing is changed.`);
}

async function publish(deps: BotDeps, { origin, threadTs }: PolicyAsked, answer: Answer): Promise<string> {
  return deps.encryption.post(origin.channelId, { text: answer.text, blocks: [...(answer.blocks ?? [])] }, threadTs);
}

async function publishStatus(deps: BotDeps, asked: PolicyAsked, reading: Reading, target: Target): Promise<void> {
  const pairs = pairsOf(reading);
  const ts = await publish(deps, asked, statusAnswer(statusWords(reading, pairs), reading.facts.readAt));
  const to = { channelId: asked.origin.channelId, threadTs: asked.threadTs ?? ts };
  if (reading.nodes.length > 1) {
    const altText = matrixAlt(reading, pairs);
    const bytes = deps.encryption.picture(matrixSvg(reading, pairs), MATRIX_ZOOM);
    const name = `encryption-${target.cluster}.png`;
    await deps.encryption.upload({ ...to, name, title: 'Pairs of nodes', altText, comment: cut(altText, 1_000), bytes });
  }
  const differing = reading.nodes.filter(disagrees).length;
  if (reading.nodes.length <= LONG && differing <= MOST_NAMED) return;
  const title = 'Every node';
  const bytes = new TextEncoder().encode(nodeTable(reading));
  await deps.encryption.upload({ ...to, name: `encryption-${target.cluster}.tsv`, title, altText: title, comment: title, bytes });
}

/** The state as a message. Names of nodes are foreign text. */
export function statusAnswer({ head, paragraphs }: StatusWords, readAt: number): Answer {
  const lines = paragraphs.map(({ strong, text }) =>
    strong === undefined ? said(text, PARAGRAPH_CHARS) : `*${said(strong, 200)}* ${said(text, PARAGRAPH_CHARS)}`,
  );
  const first = lines[0] ?? '';
  return {
    text: cut(`${said(head, 150)}. ${first}`, 200),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(head, 150) } },
      ...lines.map(section),
      context(`Read at ${clockTime(readAt)}. Nothing was changed.`),
    ],
  };
}

/** The advice as a message; each reason links to where it is from. */
export function adviceAnswer(reading: Reading): Answer {
  const advice = advise(reading);
  const head = adviceHead(reading, advice);
  const sections = [
    `*Why*\n${advice.reasons.map(linked).join('\n')}`,
    `*Beware*\n${advice.beware.map(linked).join('\n')}`,
    ...(advice.inTheWay.length > 0
      ? [`*In the way today*\n${advice.inTheWay.map(({ reason, way }) => `•  ${said(`${reason} ${way}`, 600)}`).join('\n')}`]
      : []),
    ...(advice.order === undefined ? [] : [`*Order*\n${said(advice.order, 600)}`]),
    `*Helm values*\n${advice.values.map((value) => code(value)).join('\n')}`,
  ];
  return {
    text: cut(`${said(head, 150)}. ${said(advice.reasons[0]?.words ?? '', 300)}`, 200),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(head, 150) } },
      ...sections.map(section),
      context(`From what can be read of the cluster at ${clockTime(reading.facts.readAt)}. Nothing was changed.`),
    ],
  };
}

/** The first line of an advice. */
export function adviceHead({ facts }: Reading, { choice }: Advice): string {
  return cut(`Encryption ${facts.cluster}: ${modeName(choice)} is advised`, 150);
}

function linked({ words, source }: Sourced): string {
  return `•  ${said(words, 600)} <${source}|Source>`;
}

function context(text: string): KnownBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}
