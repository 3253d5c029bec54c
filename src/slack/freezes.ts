// `/mesh freeze` and `unfreeze`: set, lift and list.

import { setTimeout as sleep } from 'node:timers/promises';
import { WebAPIRateLimitedError } from '@slack/web-api';
import type { Command } from '../domain/commands/command.ts';
import { channelOf, isInScope } from '../domain/config/use.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Actor } from '../domain/lifecycle/actor.ts';
import { type Freeze, isConfigured } from '../domain/lifecycle/freeze.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import type { Target } from '../domain/target.ts';
import { code, moment, said } from '../domain/words/words.ts';
import { type Answer, say, sayPlain, section } from './answer.ts';
import type { BotDeps } from './deps.ts';
import { refuseLift } from './lifting.ts';
import { type Origin, requestIdOf } from './origin.ts';
import type { Refused } from './refusals.ts';

/** Operations that are asked whether they wait for the freeze. */
const MOST_ASKED = 30;

type FreezeCommand = Extract<Command, { kind: 'freeze' | 'unfreeze' }>;

interface By {
  readonly actor: Actor;
  readonly origin: Origin;
}

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
  const allowed = channelOf(deps.config(), origin.channelId)?.scope;
  // Nothing narrower than all of it is all that such a channel may name.
  const [, namespace] = scope.split('/');
  if (allowed && !(namespace === undefined ? allowed.includes(cluster) : isInScope(allowed, cluster, namespace)))
    return say(`${code(scope)} may not be named in this channel; ${allowed.map(code).join(', ')} may. Nothing is frozen by this.`);
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
  const words = `*${nameOf(freeze)} is frozen until ${moment(freeze.until)}* by ${said(actor.name, 80)}: ${said(reason, 400)}`;
  return post(
    deps,
    origin,
    `${words}\nNew changes are refused, running ones wait before their next stage; rollbacks still work. ${code(`unfreeze ${scope}`)} ends it early.`,
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
  const waiting = await waitingFor(deps, scope);
  await deps.freezes.lift(scope);
  const rest = written ? ` The one that stands in ${code('meshops.yaml')} holds on: ${lineOf(written)}` : '';
  return post(
    deps,
    origin,
    `*The freeze of ${theirs.scope === '*' ? 'everything' : code(theirs.scope)} ended early*, by ${said(actor.name, 80)}.${await goOn(deps, waiting)}${rest}`,
  );
}

/** The operations that wait for exactly this freeze now. */
async function waitingFor(deps: BotDeps, scope: string): Promise<readonly OperationView[]> {
  try {
    const running = (await deps.operations.listRunning()).slice(0, MOST_ASKED);
    const described = await Promise.all(running.map((at) => deps.operations.describe(at)));
    return described.flatMap((one) => (one.kind === 'view' && one.view.frozen?.scope === scope ? [one.view] : []));
  } catch (error) {
    deps.log.warn({ err: error }, 'what waits for a freeze could not be learned');
    return [];
  }
}

/** Which of them really go on: another freeze may hold them still. */
async function goOn(deps: BotDeps, waiting: readonly OperationView[]): Promise<string> {
  const free = await Promise.all(waiting.map(async (view) => ((await deps.freezes.active(view.target)) ? [] : [view])));
  const names = free.flat().map(({ opId }) => said(opId));
  if (names.length === 0) return '';
  return ` ${names.length === 1 ? '1 operation goes on' : `${names.length} operations go on`}: ${names.join(', ')}.`;
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

/** Whoever typed the command waits for its answer: a channel that Slack asks to wait with for longer is not told. */
const LONGEST_WAIT_S = 1;

/**
 * The metadata names the command that caused the post: the same words twice are two events, the same command twice is a fault.
 * In the channel, since who is stopped should not have to find out by being refused; who set or lifted it reads it there too.
 */
async function post(deps: BotDeps, origin: Origin, text: string): Promise<Answer> {
  const { channelId } = origin;
  const metadata = { event_type: 'meshops_freeze', event_payload: { request_id: requestIdOf(origin) } };
  const answer = say(text);
  const message = { channel: channelId, text, blocks: [...(answer.blocks ?? [])], unfurl_links: false, metadata };
  try {
    await deps.web.chat.postMessage(message).catch(async (error: unknown) => {
      if (!(error instanceof WebAPIRateLimitedError) || error.retryAfter > LONGEST_WAIT_S) throw error;
      await sleep(error.retryAfter * 1_000);
      await deps.web.chat.postMessage(message);
    });
    return { ...answer, isPosted: true };
  } catch (error) {
    // The freeze holds, or does not, whether or not the channel hears of it; the person must know.
    deps.log.warn({ err: error, channelId }, 'the channel was not told of a freeze');
    return answer;
  }
}
