// `policy explain`: which rule decides one connection, and why, in both directions.

import type { FlowEnd, PolicyCommand } from '../../domain/commands/command.ts';
import type { Explanation, Reason } from '../../domain/policy/decision.ts';
import { mapFlow, UNKNOWN_REASONS } from '../../domain/policy/dryrun/flow.ts';
import { readRecorded } from '../../domain/policy/dryrun/recorded.ts';
import { isIcmp, type PolicyFlow, type PolicyPeer } from '../../domain/policy/flow.ts';
import { NAMESPACE_LABEL } from '../../domain/policy/selector.ts';
import { EVERYWHERE, formatTarget, type Target } from '../../domain/target.ts';
import { code, said } from '../../domain/words/words.ts';
import { LOOKED_FOR } from '../../reading/policy/workload-kinds.ts';
import type { World } from '../../reading/policy/world.ts';
import { type Answer, sayPlain, section } from '../answer.ts';
import type { BotDeps } from '../deps.ts';
import { refuseRead } from '../reading.ts';
import { type Refused, refusalOf } from '../refusals.ts';
import { isRefused } from '../rules.ts';
import { candidateFor, clusterSilent } from './candidate.ts';
import type { PolicyAsked } from './parts.ts';
import { noteAsked, refused } from './refuse.ts';

const READ_MS = 5_000;
/** Types of an echo request (RFC 792, RFC 4443). */
const ECHO = { v4: 8, v6: 128 } as const;

type Command = Extract<PolicyCommand, { kind: 'policy explain' }>;

/** What is asked about: the flow, and the workloads at its ends that may have a candidate. */
interface Subject {
  readonly kind: 'subject';
  readonly flow: PolicyFlow;
  readonly words: string;
  readonly workloads: readonly Target[];
  readonly cluster: string;
}

export async function explain(deps: BotDeps, asked: PolicyAsked, command: Command): Promise<Answer> {
  const here = asked.rule.resolve({ name: EVERYWHERE.name, namespace: EVERYWHERE.namespace }, command.kind);
  if (isRefused(here)) return refused(deps, asked, here);
  try {
    const signal = AbortSignal.timeout(READ_MS);
    const subject =
      command.question.kind === 'flow' ? recorded(command.question.flow, here) : await pair(deps, asked, command.question, signal);
    if (subject.kind === 'refused') return refused(deps, asked, subject, here);
    if (subject.kind === 'answer') return subject.answer;
    const unread = await refuseEnds(deps, asked, subject);
    if (unread) return refused(deps, asked, unread, here);
    noteAsked(deps, asked, subject.workloads[0] ?? { cluster: subject.cluster, namespace: '', name: '' });
    return await explained(deps, asked, subject, signal);
  } catch (error) {
    return refused(deps, asked, refusalOf(clusterSilent(here.cluster, error)), here);
  }
}

/** Both ends must be what the channel may name and the person may read. */
async function refuseEnds(deps: BotDeps, { rule, actor }: PolicyAsked, { flow, cluster }: Subject): Promise<Refused | undefined> {
  for (const namespace of new Set([namespaceOf(flow.source), namespaceOf(flow.destination)])) {
    if (namespace === '') continue;
    const target = rule.resolve({ cluster, namespace, name: 'workload' }, 'policy explain');
    const unread = isRefused(target) ? target : await refuseRead(deps, actor, target, 'policies');
    if (unread) return unread;
  }
  return undefined;
}

type Read = Subject | Refused | { readonly kind: 'answer'; readonly answer: Answer };

function recorded(json: Parameters<typeof readRecorded>[0], { cluster }: Target): Read {
  const read = readRecorded(json);
  const says = (words: string): Read => ({
    kind: 'answer',
    answer: sayPlain(`That flow cannot be decided: ${words}. Nothing was changed.`),
  });
  if (read.kind !== 'flow') return says(read.kind === 'unreadable' ? read.words : 'it is no flow');
  const mapped = mapFlow(read.flow);
  if (mapped.kind === 'unknown') return says(UNKNOWN_REASONS[mapped.reason]);
  const seen = mapped.kind === 'seen' ? mapped.seen.at(-1) : undefined;
  if (!seen) return says('it is a reply, or no new connection; policies decide the first packet of a connection');
  const { source, destination, port, protocol, request } = seen.example;
  const words = `${source} → ${destination}, ${port ?? ''}/${protocol}${request === undefined ? '' : `, ${request}`} (${seen.example.verdict} when it was seen)`;
  return { kind: 'subject', flow: seen.flow, words, workloads: [], cluster };
}

async function pair(
  deps: BotDeps,
  asked: PolicyAsked,
  question: Extract<Command['question'], { kind: 'pair' }>,
  signal: AbortSignal,
): Promise<Read> {
  const [source, destination] = await Promise.all([question.source, question.destination].map((end) => peerOf(deps, asked, end, signal)));
  if (!source || 'kind' in source) return source ?? { kind: 'answer', answer: sayPlain('') };
  if (!destination || 'kind' in destination) return destination ?? { kind: 'answer', answer: sayPlain('') };
  const { port, protocol } = question;
  const flow: PolicyFlow = {
    source: source.peer,
    destination: destination.peer,
    protocol,
    ...(isIcmp(protocol) ? { icmpType: ECHO[protocol === 'ICMP' ? 'v4' : 'v6'] } : { destinationPort: port }),
  };
  const words = `${source.name} → ${destination.name}, ${isIcmp(protocol) ? `${protocol} echo request` : `${port}/${protocol}`}`;
  const workloads = [destination.target, source.target].filter((target) => target !== undefined);
  const cluster = workloads[0]?.cluster ?? Object.keys(deps.config().clusters)[0] ?? '';
  return { kind: 'subject', flow, words, workloads, cluster };
}

interface NamedPeer {
  readonly peer: PolicyPeer;
  readonly name: string;
  readonly target?: Target;
}

async function peerOf(deps: BotDeps, asked: PolicyAsked, end: FlowEnd, signal: AbortSignal): Promise<NamedPeer | Refused> {
  switch (end.kind) {
    case 'entity': {
      const labels = [`reserved:${end.entity}`, ...(end.entity === 'kube-apiserver' ? ['reserved:remote-node'] : [])];
      return { peer: { labels }, name: end.entity };
    }
    case 'address':
      return { peer: { labels: ['reserved:world'], ip: end.address }, name: `${end.address} (taken as an address outside of the cluster)` };
    case 'name':
      return { peer: { labels: ['reserved:world'], fqdns: [end.name] }, name: end.name };
    case 'workload': {
      const target = asked.rule.resolve(end, 'policy explain');
      if (isRefused(target)) return target;
      const workload = await deps.policy.workload(target, signal);
      const [pod] = workload?.pods ?? [];
      if (!pod) {
        const looked = workload ? [`live pods of ${workload.kind} ${end.name}`] : LOOKED_FOR;
        return refusalOf({ code: 'NoWorkload', parameters: { workload: formatTarget(target), looked } });
      }
      return { peer: { labels: pod.labels, ip: pod.ip, namedPorts: pod.namedPorts }, name: `${target.namespace}/${end.name}`, target };
    }
    default:
      return end satisfies never;
  }
}

async function explained(
  deps: BotDeps,
  asked: PolicyAsked,
  { flow, words, workloads, cluster }: Subject,
  signal: AbortSignal,
): Promise<Answer> {
  const namespaces = [...new Set([namespaceOf(flow.source), namespaceOf(flow.destination)])].filter((name) => name !== '');
  const worlds = await Promise.all(
    (namespaces.length > 0 ? namespaces : ['default']).map((name) => deps.policy.world(cluster, name, signal)),
  );
  const compile = worlds[0]?.compile ?? {};
  const task = { flow, documents: documentsOf(worlds), compile };
  const now = await deps.policy.apart.run('explain', task);
  if ('kind' in now) throw new Error(now.words);
  const lines = [`*${said(words, 400)}*`, `*Under the policies in force: ${verdictOf(now)}*`, ...reasonLines(now)];
  for (const target of workloads) {
    const found = await candidateFor(deps, asked, target);
    if (found.kind !== 'found') continue;
    const later = await deps.policy.apart.run('explain', { ...task, candidate: found.candidate.document });
    const head = `*With ${said(found.candidate.source)} for ${code(formatTarget(target))}`;
    if ('kind' in later) lines.push(`${head}:* Cilium would reject it; ${code('policy check')} says why.`);
    else lines.push(`${head}: ${verdictOf(later)}*`, ...reasonLines(later));
  }
  return { text: lines.join('\n'), blocks: lines.map(section) };
}

function documentsOf(worlds: readonly World[]): World['documents'] {
  const all = worlds.flatMap(({ documents }) => documents);
  return [...new Map(all.map((one) => [`${one.kind}/${one.metadata.namespace}/${one.metadata.name}`, one])).values()];
}

function verdictOf({ decision }: Explanation): string {
  return decision.verdict === 'allowed' ? '✓ allowed' : '✗ denied';
}

function reasonLines({ egress, ingress, decision }: Explanation): readonly string[] {
  const line = (name: string, reason: Reason | null, allowed: boolean | undefined) =>
    reason === null
      ? `•  ${name}: no policy is enforced at this end.`
      : `•  ${name}: ${allowed ? 'allowed' : '*denied*'}. ${said(reason.words, 900)}`;
  return [
    line('Leaving the source (egress)', egress, decision.egress?.allowed),
    line('Arriving at the destination (ingress)', ingress, decision.ingress?.allowed),
  ];
}

function namespaceOf({ labels }: PolicyPeer): string {
  const prefix = `k8s:${NAMESPACE_LABEL}=`;
  return labels.find((label) => label.startsWith(prefix))?.slice(prefix.length) ?? '';
}
