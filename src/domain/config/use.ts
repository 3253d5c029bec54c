import type { ChangeOptions } from '../commands/command.ts';
import { type CommandName } from '../commands/command.ts';
import { verbOf } from '../commands/verbs.ts';
import type { KubernetesIdentity } from '../lifecycle/actor.ts';
import type { GateRule } from '../lifecycle/gate.ts';
import type { OperationSettings } from '../lifecycle/settings.ts';
import type { Target, TargetText } from '../target.ts';
import { EVERYWHERE, isClusterWide } from '../target.ts';
import type { Refusal } from '../words/sentences.ts';
import type { Config } from './schema.ts';

/** Ladder and objective where the configuration says nothing. */
const USUAL = { ladder: [1, 5, 10, 25, 50, 100], slo: 0.01, latency: 1_000, minRequests: 120 } as const;

/** Everything of the configuration that one operation needs; what the person typed wins. Pure: the result is frozen into the request. */
export function settingsFor(config: Config, target: Target, verb: CommandName, options: ChangeOptions = {}): OperationSettings {
  const own = config.clusters[target.cluster];
  const timings = { ...config.timings, ...defined(own?.timings) };
  const objective: Objective = Object.assign({}, ...scopes([config.objectives, own?.objectives], target));
  const slo = options.slo ?? objective.mode;
  const budget = options.budget ?? objective.budget;
  const perSecond = options.probesPerSecond ?? objective.probes?.perSecond;
  const path = objective.probes?.path;
  const ladder = scopes([config.ladders, own?.ladders], target).findLast((rungs) => rungs !== undefined) ?? USUAL.ladder;
  return {
    ladder,
    soakMs: options.soakMs ?? timings.soak,
    afterwatchMs: timings.afterwatch,
    restoredWatchMs: timings.restoredWatch,
    holdMs: timings.hold,
    undoToldMs: timings.undoTold,
    freezeLookMs: timings.freezeLook,
    objective: options.objective ?? objective.slo ?? USUAL.slo,
    ...(slo && { slo }),
    ...(budget !== undefined && { budget }),
    ...(objective.confidence !== undefined && { confidence: objective.confidence }),
    ...(perSecond !== undefined && { probes: { perSecond, ...(path !== undefined && { path }) } }),
    latencyLimitMs: options.latencyMs ?? objective.latency ?? USUAL.latency,
    alpha: config.alpha,
    minRequests: objective.minRequests ?? USUAL.minRequests,
    realiseMs: timings.realise,
    watchHeartbeatMs: timings.heartbeat,
    editEveryMs: timings.editEvery,
    ...((own?.gitops ?? config.gitops) === 'refuse' && { gitops: 'refuse' as const }),
    ...((own?.tunnelWindow ?? config.tunnelWindow) === 'allowed' && { tunnelWindow: 'allowed' as const }),
    gates: gatesFor(config, target, verb),
  };
}

/** The gate rules of one command on one target, in the order of the file. A way back that comes late, or raises a share, meets those of its verb. */
function gatesFor(config: Config, target: Target, command: CommandName): readonly GateRule[] {
  const verb = verbOf(command)?.gatedAs ?? command;
  const spec = verbOf(verb);
  if (spec?.gate !== 'required') return [];
  const applies = (list: readonly string[] | undefined, value: string) => list === undefined || list.includes(value);
  return config.gates
    .filter(
      (gate) =>
        applies(gate.verbs, verb) &&
        applies(gate.clusters, target.cluster) &&
        (isClusterWide(target) || applies(gate.namespaces, target.namespace)),
    )
    .map((gate) => ({
      above: gate.above / 100,
      approvers: gate.approvers,
      // What a gate says of this very command holds; what it says of all is the least.
      quorum: gate.verbs === undefined ? Math.max(gate.quorum, spec.quorum ?? 0) : gate.quorum,
      expiryMs: gate.expiry,
      rollbackWithinMs: gate.rollbackWithin,
      ...(gate.required && { required: true as const }),
      ...(gate.samePerson && { samePerson: true as const }),
      ...callsIn(gate),
    }));
}

function callsIn({ remind, escalate, dm }: Config['gates'][number]): Pick<GateRule, 'calls'> {
  const calls = {
    ...(remind !== undefined && { remindAt: remind / 100 }),
    ...(escalate !== undefined && { escalate }),
    ...(dm && { dm: true as const }),
  };
  return Object.keys(calls).length > 0 ? { calls } : {};
}

/** What a channel may do: its own entry, else the one for all others, else undefined. */
export function channelOf(config: Config, channelId: string): Config['channels'][number] | undefined {
  return config.channels.find(({ id }) => id === channelId) ?? config.channels.find(({ id }) => id === '*');
}

/** Fills in what a bare name means in this channel, after checking that the verb may be used there. */
export function resolveTarget(
  config: Config,
  channelId: string,
  text: TargetText,
  verb: CommandName,
): Target | { readonly refusal: Refusal } {
  const refused = refuseVerb(config, channelId, verb);
  if (refused) return { refusal: refused };
  const channel = channelOf(config, channelId);
  const clusters = Object.keys(config.clusters);
  const cluster = text.cluster ?? channel?.cluster ?? (clusters.length === 1 ? clusters[0] : undefined);
  const namespace = text.namespace ?? channel?.namespace;
  if (cluster === undefined) return { refusal: { code: 'NoCluster', parameters: { name: text.name } } };
  if (!clusters.includes(cluster)) return { refusal: { code: 'UnknownCluster', parameters: { cluster, clusters } } };
  if (namespace === undefined) return { refusal: { code: 'NoNamespace', parameters: { name: text.name } } };
  if (!isInScope(channel?.scope, cluster, namespace))
    return { refusal: { code: 'OutOfScope', parameters: { what: `${cluster}/${namespace}`, scope: channel?.scope ?? [] } } };
  return { cluster, namespace, name: text.name };
}

/** May a channel of this scope name the namespace? Any part of a cluster lets the cluster itself be named. */
export function isInScope(scope: readonly string[] | undefined, cluster: string, namespace: string): boolean {
  if (!scope) return true;
  const within = namespace === EVERYWHERE.namespace ? scope.map((one) => one.split('/')[0]) : scope;
  return within.includes(cluster) || within.includes(`${cluster}/${namespace}`);
}

/** Why this verb may not be used in this channel, or undefined. `help` may be asked for everywhere. */
export function refuseVerb(config: Config, channelId: string, verb: CommandName): Refusal | undefined {
  if (verb === 'help') return undefined;
  const channel = channelOf(config, channelId);
  if (!channel) return { code: 'ChannelNotAllowed', parameters: undefined };
  if (!channel.verbs || channel.verbs.includes(verb)) return undefined;
  return { code: 'VerbNotAllowed', parameters: { verb, allowed: channel.verbs } };
}

/**
 * Whom the cluster sees for a person (canonical id = e-mail, lower case). An exact address beats a domain, the first beats the next; `memberOf`, ids of
 * usergroups, adds groups to that, and stands alone where no rule names the person.
 */
export function kubernetesIdentity(config: Config, email: string, memberOf: readonly string[] = []): KubernetesIdentity | undefined {
  const id = email.toLowerCase();
  const { rules, usergroups, default: usual } = config.identities;
  const domain = `*@${id.slice(id.lastIndexOf('@') + 1)}`;
  const member = usergroups.filter(({ usergroup }) => memberOf.includes(usergroup));
  const rule = rules.find((each) => each.email === id) ?? rules.find((each) => each.email === domain) ?? member[0] ?? usual;
  const user = rule?.user.replaceAll('{email}', id);
  if (!rule || user === undefined || user.trim().startsWith('system:')) return undefined;
  return { user, groups: [...new Set([...rule.groups, ...member.flatMap(({ groups }) => groups)])] };
}

type Objective = Config['objectives'][string];

/** What is said for all, for the namespace, for the one service; of one scope the later table counts. */
function scopes<Value>(
  tables: readonly (Readonly<Record<string, Value>> | undefined)[],
  { namespace, name }: Target,
): readonly (Value | undefined)[] {
  return ['default', namespace, `${namespace}/${name}`].flatMap((scope) =>
    tables.map((table) => (table && Object.hasOwn(table, scope) ? table[scope] : undefined)),
  );
}

function defined<T extends object>(values: T | undefined): Partial<{ [Key in keyof T]: NonNullable<T[Key]> }> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined)) as never;
}
