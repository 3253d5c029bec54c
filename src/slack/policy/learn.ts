// `policy learn`: a proposal as a file, with the difference to what is in force. Nothing is applied.
import { createHash } from 'node:crypto';
import type { PolicyCommand } from '../../domain/commands/command.ts';
import type { JsonObject } from '../../domain/json.ts';
import { lineDifference } from '../../domain/policy/learn/difference.ts';
import { type Learned, learnPolicy } from '../../domain/policy/learn/learn.ts';
import { yamlOf } from '../../domain/policy/learn/yaml.ts';
import { formatTarget, type Target } from '../../domain/target.ts';
import { code, person, plural, said } from '../../domain/words/words.ts';
import { reachSentences, shortMemory } from '../../reading/policy/dry-run.ts';
import { readCandidate } from '../../reading/policy/sources/read-candidate.ts';
import { LOOKED_FOR } from '../../reading/policy/workload-kinds.ts';
import { type Answer, say, sayPlain, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refusalOf } from '../refusals.ts';
import { isRefused } from '../rules.ts';
import { afterwards } from './afterwards.ts';
import { clusterSilent } from './candidate.ts';
import { block } from './findings.ts';
import type { Later, PolicyAsked } from './parts.ts';
import { proposalButtons, proposalFile } from './proposal.ts';
import { checkedFlows } from './recorded.ts';
import { noteAsked, refused } from './refuse.ts';

const DEADLINE_MS = 15_000;

export async function learn(
  deps: BotDeps,
  asked: PolicyAsked,
  command: Extract<PolicyCommand, { readonly workload: unknown; readonly options: unknown }>,
  later: Later,
): Promise<Answer> {
  const target = asked.rule.resolve(command.workload, command.kind);
  if (isRefused(target)) return refused(deps, asked, target);
  noteAsked(deps, asked, target);
  const windowMs = command.options.windowMs ?? deps.config().policy.window;
  const work = async (): Promise<Answer | undefined> => {
    try {
      return await propose(deps, asked, target, { windowMs, isNamed: command.options.windowMs !== undefined });
    } catch (error) {
      return sayPlain(refusalOf(clusterSilent(target.cluster, error)).words);
    }
  };
  const full = afterwards(deps, later, work, asked.actor.id);
  if (full) return full;
  return say(`Looking at what ${code(formatTarget(target))} did. The proposal comes in this channel; nothing is applied.`);
}

interface Window {
  readonly windowMs: number;
  /** Somebody asked for just this. */
  readonly isNamed: boolean;
}

async function propose(deps: BotDeps, asked: PolicyAsked, target: Target, { windowMs, isNamed }: Window): Promise<Answer | undefined> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const workload = await deps.policy.workload(target, signal);
  if (!workload) {
    const looked = LOOKED_FOR;
    return sayPlain(refusalOf({ code: 'NoWorkload', parameters: { workload: formatTarget(target), looked } }).words);
  }
  const at = deps.now();
  const request = { namespaces: [target.namespace], since: at - windowMs, until: at, deadlineMs: DEADLINE_MS };
  const [contents, world] = await Promise.all([
    deps.policy.rings(target.cluster, request, signal),
    deps.policy.world(target.cluster, target.namespace, signal),
  ]);
  const short = isNamed ? shortMemory({ rings: contents, windowMs, at }) : undefined;
  if (short) return sayPlain(refusalOf(short).words);
  const learned = learnPolicy({
    flows: await checkedFlows(contents.flows),
    namespace: target.namespace,
    name: target.name,
    selector: workload.selector,
  });
  const reach = reachSentences({ rings: contents, windowMs, at });
  if (!learned.policy) {
    return sayPlain(
      `No connection of ${formatTarget(target)} was seen, so there is nothing to propose. ${reach.join(' ')} Nothing was changed.`,
    );
  }
  const live = world.documents.find(
    ({ kind, metadata }) => kind === 'CiliumNetworkPolicy' && metadata.namespace === target.namespace && metadata.name === target.name,
  );
  await publish(deps, asked, target, learned, reach, live?.spec);
  return undefined;
}

async function publish(
  deps: BotDeps,
  asked: PolicyAsked,
  target: Target,
  { policy, connections, denied, unknown }: Learned,
  reach: readonly string[],
  live: JsonObject | undefined,
): Promise<void> {
  if (!policy) return;
  const { channelId } = asked.origin;
  const { yaml, document } = policy;
  const sha256 = createHash('sha256').update(yaml, 'utf8').digest('hex');
  const doubtful = Object.values(unknown).reduce((sum, count) => sum + count, 0);
  const { name, slack } = asked.actor;
  const who = person({ name, ...(slack ? { slackId: slack.userId } : {}) });
  const warnings = (await deps.policy.apart.run('lint', { text: yaml })).findings.length;
  const text = [
    `*Proposed policy* for ${code(formatTarget(target))}, asked for by ${who}. *Nothing is applied.*`,
    `It allows the ${plural(connections, 'connection')} that were seen and let through${denied > 0 ? `; ${denied} denied ones are left out` : ''}${doubtful > 0 ? `; ${doubtful} said too little and are left out` : ''}. ${reach.map((words) => said(words)).join(' ')}`,
    `sha256 ${code(sha256.slice(0, 12))}. ${warnings > 0 ? `The lint has ${plural(warnings, 'remark')}.` : 'The lint has nothing to say.'} The file in the thread has the counts of each rule.`,
  ].join('\n');
  const difference = live === undefined ? yaml.split('\n') : lineDifference(specOf(live), specOf(document['spec'] as JsonObject));
  const title =
    live === undefined ? 'No policy of this name is in force. The proposal:' : 'Difference to the policy of this name that is in force:';
  const blocks = [section(text), section(`${title}\n${block(difference.join('\n'), 2_400)}`), proposalButtons({ target, sha256 })];
  const ts = await deps.policy.post(channelId, { text, blocks }, asked.threadTs);
  const read = readCandidate(yaml, 'proposal', target.namespace);
  if (read.kind === 'bad') throw new Error(`a proposal cannot be read back: ${read.words}`);
  const fileName = proposalFile({ target, sha256 });
  const comment = 'The proposal, with the counts of each rule. Edit it and attach it to a message that mentions me, or use the buttons.';
  const bytes = new TextEncoder().encode(yaml);
  await deps.policy.upload({
    channelId,
    threadTs: asked.threadTs ?? ts,
    name: fileName,
    title: fileName,
    altText: 'Proposed network policy',
    comment,
    bytes,
  });
}

function specOf(spec: JsonObject): string {
  return yamlOf({ spec });
}
