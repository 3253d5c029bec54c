// `/mesh freeze` and `unfreeze`: set, lift and list.

import type { Actor } from '../domain/actor.ts';
import type { Command } from '../domain/command.ts';
import { formatDuration } from '../domain/duration.ts';
import { type Freeze, isConfigured } from '../domain/freeze.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Target } from '../domain/target.ts';
import { code, moment, said } from '../domain/words.ts';
import { type Origin, requestIdOf } from './admission.ts';
import { type Answer, say, sayPlain, section } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { refuseLift } from './lifting.ts';
import type { Refused } from './refusals.ts';

type FreezeCommand = Extract<Command, { kind: 'freeze' | 'unfreeze' }>;

interface By {
  readonly actor: Actor;
  readonly origin: Origin;
}

/** The channel is told too: who is stopped should not have to find out by being refused. */
export async function answerFreeze(deps: BotDeps, command: FreezeCommand, by: By): Promise<Answer> {
  if (command.kind === 'unfreeze') return lift(deps, command.scope, by);
  return command.set ? set(deps, command.set, by) : list(deps);
}

async function set(
  deps: BotDeps,
  { scope, durationMs, reason }: { readonly scope: string; readonly durationMs: number; readonly reason: string },
  { actor, origin }: By,
): Promise<Answer> {
  const { clusters } = deps.config();
  const [cluster = ''] = scope.split('/');
  if (scope !== '*' && !Object.hasOwn(clusters, cluster)) {
    const known = Object.keys(clusters).map(code).join(', ');
    return say(`There is no cluster ${code(cluster)}; a scope begins with one of ${known}, or is ${code('*')}. Nothing is frozen by this.`);
  }
  const missing = await missingIn(deps, scope);
  if (missing !== undefined) return say(`There is no ${said(missing, 300)}. Nothing is frozen by this. Check the name, then freeze again.`);
  const earlier = (await deps.freezes.list()).find((freeze) => freeze.scope === scope && !isConfigured(freeze));
  // A shorter freeze of the same scope would be a way around the rule for lifting.
  const refused = earlier && (await refuseLift(deps, earlier, actor));
  if (refused) return refuse(deps, refused);
  const setAt = deps.now();
  const freeze: Freeze = { scope, reason, by: { id: actor.id, name: actor.name }, setAt, until: setAt + durationMs };
  // The record first: nothing may be stopped that nobody can account for.
  await record(deps, { actor, origin }, scope, { kind: 'set', scope, reason, until: freeze.until });
  await deps.freezes.set(freeze);
  await tellChannel(deps, origin, `${nameOf(freeze)} is frozen for ${formatDuration(durationMs)}, ${wordsOf(freeze)}`);
  return say(
    `Frozen: ${lineOf(freeze)}\nNew operations and next stages wait or are refused; an undo is never stopped. ${code(`unfreeze ${scope}`)} ends it early.`,
  );
}

const LOOK_MS = 1_000;

/** What the scope names and the cluster does not have. A cluster that does not answer stops no freeze: to stop is the safe direction. */
async function missingIn(deps: BotDeps, scope: string): Promise<string | undefined> {
  const [cluster = '', namespace, name] = scope.split('/');
  if (namespace === undefined || !deps.missing) return undefined;
  try {
    return await deps.missing({ cluster, namespace, ...(name !== undefined && { name }) }, AbortSignal.timeout(LOOK_MS));
  } catch (error) {
    deps.log.debug({ err: error, scope }, 'it could not be checked whether the scope of a freeze exists');
    return undefined;
  }
}

async function lift(deps: BotDeps, scope: string, { actor, origin }: By): Promise<Answer> {
  const held = (await deps.freezes.list()).filter((freeze) => freeze.scope === scope);
  const written = held.find(isConfigured);
  if (held.length === 0) return say(`No freeze holds ${code(scope)}. Nothing was changed. ${code('freeze')} lists those that do.`);
  const theirs = held.find((freeze) => !isConfigured(freeze));
  if (!theirs) {
    return say(
      `The freeze of ${code(scope)} stands in the configuration. Nothing was changed. Whoever keeps ${code('meshops.yaml')} takes it out there; that counts within seconds.`,
    );
  }
  const refused = await refuseLift(deps, theirs, actor);
  if (refused) return refuse(deps, refused);
  await record(deps, { actor, origin }, scope, { kind: 'lifted', scope });
  const was = await deps.freezes.lift(scope);
  if (was) await tellChannel(deps, origin, `The freeze of ${nameOf(was)} was lifted by ${said(actor.name, 80)}. What waited goes on.`);
  if (written)
    return say(`The freeze of ${code(scope)} is lifted; the one that stands in ${code('meshops.yaml')} holds on: ${lineOf(written)}`);
  return say(`The freeze of ${code(scope)} is lifted. Operations that waited go on by themselves.`);
}

function refuse(deps: BotDeps, refused: Refused): Answer {
  deps.meter.refused(refused.code);
  return sayPlain(refused.words);
}

async function list(deps: BotDeps): Promise<Answer> {
  const freezes = await deps.freezes.list();
  if (freezes.length === 0) return say('Nothing is frozen.');
  const lines = ['*Frozen now*', ...freezes.map(lineOf)];
  return { text: lines.join('\n'), blocks: lines.map(section) };
}

const nameOf = ({ scope }: Freeze): string => (scope === '*' ? 'Everything' : code(scope));
const lineOf = (freeze: Freeze): string => `${nameOf(freeze)} ${wordsOf(freeze)}`;
const wordsOf = ({ until, by, reason }: Freeze): string => `until ${moment(until)}, by ${said(by.name, 80)}: ${said(reason, 400)}`;

async function record(deps: BotDeps, { actor, origin }: By, scope: string, data: JsonObject): Promise<void> {
  const [cluster = '', namespace = '', name = ''] = scope.split('/');
  const target: Target = { cluster, namespace, name };
  const key = `${requestIdOf(origin)}:freeze`;
  await deps.audit.append([{ key, at: deps.now(), kind: 'freeze', opId: '', target, actor: actor.id, data }]);
}

/** The metadata names the command that caused the post: the same words twice are two events, the same command twice is a fault. */
async function tellChannel(deps: BotDeps, origin: Origin, text: string): Promise<void> {
  const { channelId } = origin;
  const metadata = { event_type: 'meshops_freeze', event_payload: { request_id: requestIdOf(origin) } };
  try {
    await deps.web.chat.postMessage({ channel: channelId, text, unfurl_links: false, metadata });
  } catch (error) {
    // The freeze holds whether or not the channel hears of it; the person who set it is answered.
    deps.log.warn({ err: error, channelId }, 'the channel was not told of a freeze');
  }
}
