// The real bot before the strict Slack; behind it a Temporal that the test plays.

import { type SlackPlayground, startSlack } from '../../playground/slack/slack.ts';
import { openDatabase } from '../../src/audit/database.ts';
import { createEmergencies, type Emergencies } from '../../src/audit/emergencies.ts';
import { createFreezes } from '../../src/audit/freezes.ts';
import { type Audit, createAudit } from '../../src/audit/log.ts';
import { createRequests } from '../../src/audit/requests.ts';
import { createWebClient } from '../../src/clients/slack-web.ts';
import { standingFreezes } from '../../src/domain/config/freezes.ts';
import { parseConfig } from '../../src/domain/config/parse.ts';
import type { Config } from '../../src/domain/config/schema.ts';
import { kubernetesIdentity } from '../../src/domain/config/use.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { ACTION, encodeButton } from '../../src/domain/lifecycle/button.ts';
import type { Decision } from '../../src/domain/lifecycle/gate.ts';
import type { MessageRef, OperationRequest, OperationView } from '../../src/domain/lifecycle/operation.ts';
import { serveHttp } from '../../src/http.ts';
import { SILENT } from '../../src/log.ts';
import { createBot } from '../../src/slack/bot.ts';
import type { BotDeps } from '../../src/slack/deps.ts';
import { createPeople, type SlackPeople } from '../../src/slack/people.ts';
import type { Entrance } from '../../src/slack/receiver.ts';
import { createRefusalBook } from '../../src/slack/refusal-book.ts';
import { createRoom } from '../../src/slack/room.ts';
import type { Fate } from '../../src/temporal/fate.ts';
import { createInFlight } from '../../src/temporal/in-flight.ts';
import type { Operations } from '../../src/temporal/operations.ts';
import type { AbortBy, BeginResult, DecideResult, Described, OperationAt, RunningAt, Settled } from '../../src/temporal/results.ts';
import { operator } from '../support/operations.ts';
import { type PlayedEncryption, playEncryption } from './encryption/played.ts';
import { type PlayedChoices, playChoices } from './forms/played.ts';
import { type PlayedPolicy, playPolicy } from './policy/played.ts';

export const CHANNEL = 'C0MESH';
/** What the cluster of the stage has. */
const NAMESPACES = ['backend', 'frontend', 'shop'];
export const WORKFLOW = 'mesh/demo/backend/backend';

/** A Temporal that answers as told and remembers what it was asked. */
export interface Played {
  readonly begins: OperationRequest[];
  /** `user namespace`: what the cluster lets this person not read. */
  readonly unreadable: string[];
  readonly decisions: Decision[];
  readonly aborts: { readonly at: OperationAt; readonly by: AbortBy }[];
  readonly releases: { readonly at: OperationAt; readonly by: AbortBy }[];
  begin: (request: OperationRequest) => Promise<BeginResult>;
  decide: (decision: Decision) => Promise<DecideResult>;
  described: Described;
  running: RunningAt | undefined;
  /** How often the cluster was asked for somebody's rights. */
  askedRights: number;
  /** How often it was asked what runs. */
  listed: number;
  fate: Fate;
  settled?: (truth: Settled) => Promise<void>;
}

export interface Stage {
  readonly slack: SlackPlayground;
  readonly played: Played;
  readonly policy: PlayedPolicy;
  readonly choices: PlayedChoices;
  readonly encryption: PlayedEncryption;
  readonly people: SlackPeople;
  readonly audit: Audit;
  readonly emergencies: Emergencies;
  readonly refused: string[];
  readonly ackMs: number[];
  readonly refreshed: OperationView[];
  /** Messages that lost buttons. */
  readonly retired: MessageRef[];
  /** The clock of the bot, in milliseconds ahead of the real one. */
  ahead: number;
  readonly url: string;
  isConnected(): boolean;
  /** Everything that goes on after an answer has ended. */
  idle(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function config(change: Record<string, unknown> = {}): Config {
  const parsed = parseConfig({
    clusters: { demo: { kubernetes: { context: 'demo' }, hubble: { relay: '127.0.0.1:1' } } },
    channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'backend' }],
    identities: { rules: [{ email: '*@example.com', groups: ['mesh-operators'] }] },
    gates: [{ approvers: { usergroups: ['S0REVIEWERS'] } }],
    slack: { mode: 'http', teamIds: ['T0MESHOPS'] },
    ...change,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

export function viewOf(change: Partial<OperationView> = {}): OperationView {
  return {
    opId: 'canary-k3f2',
    workflowId: WORKFLOW,
    runId: 'run-1',
    verb: 'canary',
    target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
    text: '/mesh canary backend 10%',
    requester: operator,
    phase: 'watching',
    startedAt: Date.UTC(2026, 0, 1, 14, 2),
    explanation: [],
    watched: [],
    stages: [{ number: 1, label: '10%', exposure: 0.1, state: 'watching', startedAt: 1 }],
    ...change,
  };
}

function play(): Played {
  const begun = { kind: 'begun', begun: { opId: 'canary-k3f2', runId: 'run-1', continued: false } } as const;
  return {
    begins: [],
    unreadable: [],
    decisions: [],
    aborts: [],
    releases: [],
    begin: async () => begun,
    decide: async () => ({ kind: 'accepted', remaining: 0 }),
    described: { kind: 'gone' },
    running: undefined,
    listed: 0,
    askedRights: 0,
    fate: { kind: 'runs' },
  };
}

function operationsOf(played: Played, audit: Audit): Operations {
  return {
    begin: async (request, { onSettled }) => {
      played.begins.push(request);
      played.settled = onSettled;
      return played.begin(request);
    },
    decide: async (_workflowId, decision) => {
      played.decisions.push(decision);
      return played.decide(decision);
    },
    abort: async (at, by) => {
      if (played.fate.kind !== 'runs') return { kind: 'over' };
      played.aborts.push({ at, by });
      return { kind: 'sent' };
    },
    release: async (at, by) => {
      if (played.fate.kind !== 'runs') return { kind: 'over' };
      played.releases.push({ at, by });
      return { kind: 'accepted', remaining: 2 - played.releases.length };
    },
    describe: async () => played.described,
    on: async () => played.described,
    running: async () => played.running,
    listRunning: async () => {
      played.listed += 1;
      return played.running ? [played.running] : [];
    },
    find: async (opId) => (opId === 'canary-k3f2' ? played.running : audit.operation(opId)),
    runs: async () => false,
    fate: async () => played.fate,
    reachable: async () => true,
    drain: async () => 0,
  };
}

export async function stage(change: Record<string, unknown> = {}, mode: 'http' | 'socket' = 'http'): Promise<Stage> {
  const ending = new AbortController();
  const commands = ['/mesh', '/policy', '/encryption', '/deploy'].map((command) => ({ command, description: command, usage: '' }));
  const secrets = { signingSecret: 'playground-signing-secret', botToken: 'xoxb-playground', appToken: 'xapp-playground' };
  const app = { ...secrets, slashCommands: commands, socketMode: mode === 'socket' };
  const slack = await startSlack({ signal: ending.signal, app, limits: { postPerSecond: 1_000, postBurst: 1_000 } });
  const db = await openDatabase(':memory:');
  const current = config(change);
  const web = createWebClient({ token: slack.botToken, slackApiUrl: slack.apiUrl });
  const clock = { ahead: 0 };
  const now = (): number => Date.now() + clock.ahead;
  const people = createPeople({
    web,
    teamIds: () => current.slack.teamIds,
    kubernetesOf: (id, memberOf) => kubernetesIdentity(current, id, memberOf),
    identityGroups: () => current.identities.usergroups.map(({ usergroup }) => usergroup),
    now,
  });
  const played = play();
  const policy = playPolicy(slack);
  const encryption = playEncryption(slack);
  const choices = playChoices();
  const inFlight = createInFlight();
  const audit = createAudit(db);
  const emergencies = createEmergencies(db);
  const [refused, ackMs, refreshed]: [string[], number[], OperationView[]] = [[], [], []];
  const retired: MessageRef[] = [];
  const deps: BotDeps = {
    config: () => current,
    appId: 'A0MESHOPS',
    operations: operationsOf(played, audit),
    audit,
    requests: createRequests(db),
    emergencies,
    freezes: createFreezes(db, now, () => standingFreezes(current.freezes, now())),
    people,
    web,
    refresh: async (view) => void refreshed.push(view),
    lacking: async (_cluster, rights, as) => {
      played.askedRights += 1;
      return rights.find(({ namespace = '' }) => played.unreadable.includes(`${as.user} ${namespace}`));
    },
    missing: async ({ cluster, namespace }) => (NAMESPACES.includes(namespace) ? undefined : `namespace ${namespace} in ${cluster}`),
    retire: async (message) => void retired.push(message),
    choices,
    policy,
    encryption,
    meter: { acked: (_what, ms) => ackMs.push(ms), refused: (code) => refused.push(code) },
    refusals: createRefusalBook({ audit, inFlight, now, log: SILENT }),
    room: createRoom(),
    inFlight,
    now,
    log: SILENT,
  };
  const entrance: Entrance =
    mode === 'http' ? { mode, signingSecret: slack.signingSecret } : { mode, appToken: secrets.appToken, slackApiUrl: slack.apiUrl };
  const bot = createBot(deps, entrance, {
    botToken: slack.botToken,
    botId: 'B0MESHOPS',
    botUserId: 'U0MESHOPS',
    slackApiUrl: slack.apiUrl,
  });
  const metrics = { metrics: async () => '', contentType: 'text/plain' };
  const http = await serveHttp({ port: 0, metricsPort: 0, host: '127.0.0.1', ready: [], slack: bot.listener, ...metrics });
  const url = `http://127.0.0.1:${http.port}/slack/events`;
  slack.setRequestUrl(url);
  await bot.start();
  if (mode === 'socket') await slack.drive.waitFor(() => slack.connections() > 0);
  return {
    slack,
    played,
    policy,
    choices,
    encryption,
    people,
    audit,
    emergencies,
    refused,
    ackMs,
    refreshed,
    retired,
    url,
    get ahead() {
      return clock.ahead;
    },
    set ahead(ms) {
      clock.ahead = ms;
    },
    isConnected: () => bot.isConnected(),
    idle: async () => void (await inFlight.drain(2_000)),
    [Symbol.asyncDispose]: async () => {
      await inFlight.drain(2_000);
      await bot.stop();
      await http.close();
      await slack.stop();
      ending.abort();
      await db.destroy();
    },
  };
}

/** Presses a button that asks why, and answers. */
export async function pressAndSay(at: Stage, ts: string, action: string, who: string, reason?: string): Promise<void> {
  const person = at.slack.drive.as(who, { staleSession: true });
  await person.click(CHANNEL, ts, action);
  const view = await at.slack.drive.waitFor(() => person.views()[0], { what: 'the form that asks why' });
  await person.submitModal(view.id, reason === undefined ? {} : { reason });
  await at.idle();
}

/** A root message as the announcing activity posts it, with its buttons. Returns its ts. */
export async function postRoot(at: Stage, opId = 'canary-k3f2'): Promise<string> {
  const ids = { workflowId: WORKFLOW, runId: 'run-1', opId, gateId: 'g1', planHash: 'ab'.repeat(32) };
  const value = encodeButton(ids);
  const offer = encodeButton({ ...ids, candidate: 'next' });
  const button = (id: string, shown = value) => ({
    type: 'button' as const,
    action_id: id,
    text: { type: 'plain_text' as const, text: id },
    value: shown,
  });
  const elements = Object.values(ACTION).map((id) => button(id, id === ACTION.candidate1 ? offer : value));
  const web = createWebClient({ token: at.slack.botToken, slackApiUrl: at.slack.apiUrl });
  const posted = await web.chat.postMessage({
    channel: CHANNEL,
    text: 'root',
    blocks: [
      { type: 'actions', elements },
      { type: 'actions', elements: [button(ACTION.approve, '{}')] },
    ],
  });
  return posted.ts ?? '';
}

const WEIGHT = '/spec/rules/0/backendRefs/1/weight';

/** An operation on the demo's Service that has completed from one share to another, as its records say. */
export async function completedIn(
  at: Stage,
  opId: string,
  [from, to]: readonly [number, number],
  {
    endedAt = Date.now(),
    change = { kind: 'shift', percent: to },
    actor = 'operator@example.com',
  }: { endedAt?: number; change?: JsonObject; actor?: string } = {},
): Promise<void> {
  const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
  const object = { apiVersion: 'v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
  const originals = [{ object, uid: 'u', fields: { [WEIGHT]: from }, token: null, digest: '' }];
  const writes = [{ object, uid: 'u', generation: 1, before: { [WEIGHT]: from }, after: { [WEIGHT]: to } }];
  const last = { number: 1, label: `${to}%`, exposure: to / 100, writes };
  const outcome = { kind: 'completed', code: 'Completed', words: 'Done.', originals, last, opId };
  await at.audit.append([
    { key: `${opId}/1`, at: endedAt - 1, kind: 'request', opId, target, actor, data: { text: 'x', change } },
    { key: `${opId}/2`, at: endedAt, kind: 'outcome', opId, target, data: outcome },
  ]);
}
