import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { JsonObject } from '../../src/domain/json.ts';
import { attack } from '../hostile/attack.ts';
import { createHostile, type Known } from '../hostile/payloads.ts';
import { unescaped } from '../hostile/texts.ts';
import { type Rig, startRig } from '../rig/rig.ts';
import { CHANNEL, PEOPLE } from '../scenarios/operation.ts';
import { Scene } from '../scenarios/scene.ts';
import { findElement } from '../slack/block-kit/elements.ts';
import type { Bench } from './bench.ts';

const USUAL = 100_000;
const MEMBERS = 12;
/** Memory is looked at so often. */
const LOOKS = 20;

/** Hostile requests at the door of the running bot, with Temporal, the API server and Slack behind it. */
export const payloads: Bench = {
  name: 'payloads',
  what: `${USUAL.toLocaleString('en-US')} hostile requests at the bot's door: answers, effects in Temporal and the cluster, unescaped output, memory`,
  run: async ({ runs = USUAL, seed = 1, ...context }) => {
    const rig = await startRig({
      ...context,
      preset: 'ideal',
      seed: 1,
      pace: 'fast',
      split: true,
      requestsPerMinute: 100_000,
      gateExpiry: '3h',
    });
    try {
      return await measured(rig, { count: runs, seed, signal: context.signal });
    } finally {
      await rig.stop();
    }
  },
};

async function measured(
  rig: Rig,
  { count, seed, signal }: { readonly count: number; readonly seed: number; readonly signal: AbortSignal },
): Promise<JsonObject> {
  const members = Array.from({ length: MEMBERS }, (_, at) => `U0MEMBER${at}`);
  for (const id of members)
    rig.slack.drive.join(
      { id, teamId: 'T0MESHOPS', name: id.toLowerCase(), realName: id, email: `${id.toLowerCase()}@example.com` },
      CHANNEL,
    );
  const operation = await new Scene(rig, Math.random, Date.now()).begin('/mesh canary backend 10%');
  const taken = rig.slack.drive.lastRequest();
  await operation.phase('waiting');
  await operation.button('meshops:approve');
  const value = String(findElement(operation.root().blocks ?? [], 'meshops:approve')?.element['value']);
  const known: Known = {
    signingSecret: rig.slackApp.signingSecret,
    teamId: 'T0MESHOPS',
    appId: 'A0MESHOPS',
    channelId: CHANNEL,
    members,
    outsiders: ['U0GUEST', 'U0OUTSIDE', 'U0GONE', 'U0MESHOPS', 'U0NOBODY', ''],
    values: [value, value.replace('"g1"', '"g2"'), value.replace(/"h":"./, '"h":"0')],
    taken: [taken],
    now: Date.now,
  };
  const before = await effects(rig);
  const memory: number[] = [];
  const every = Math.max(1, Math.floor(count / LOOKS));
  const report = await attack(new URL(rig.url), createHostile(known, seed), {
    count,
    signal,
    each: (sent) => {
      if (sent % every === 0) memory.push(rssMb(rig));
    },
  });
  const after = await effects(rig);
  const view = await operation.view();
  const shown = [...rig.slack.drive.messages(CHANNEL), ...members.flatMap((one) => rig.slack.drive.as(one).ephemerals())];
  const refusedBySlack = rig.slack.log
    .refusals()
    .filter(({ direction, refusal = '' }) => direction === 'in' && /invalid_(?!trigger_id)|too_long|too_many/.test(refusal));
  const stillWorks = await rig.slack.drive.as(PEOPLE.reviewer).command(CHANNEL, '/mesh help');
  return {
    ...report,
    seed,
    perSecond: Math.round(report.sent / (report.tookMs / 1000)),
    effects: Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)])),
    waiting: view.phase === 'waiting' && view.gate?.approvals.length === 0,
    unescaped: shown.flatMap((message) => unescaped(JSON.stringify(message)) ?? []).slice(0, 20),
    refusedBySlack: refusedBySlack.map(({ method, refusal = '' }) => `${method}: ${refusal}`).slice(0, 20),
    alive: existsSync(`/proc/${rig.bot.pid}`) && stillWorks.ok,
    memoryMb: { atTenth: memory[1] ?? 0, atHalf: memory[Math.floor(memory.length / 2)] ?? 0, atEnd: memory.at(-1) ?? 0 },
  } as JsonObject;
}

/** What a request could have had for an effect. */
async function effects({ temporal, stack, database, slack }: Rig): Promise<Record<string, number>> {
  const { count } = await temporal.workflow.count();
  const answer = await stack.kube.api({ method: 'GET', path: '/metrics', signal: AbortSignal.timeout(10_000) });
  const written = answer.body
    .split('\n')
    .filter(
      (line) =>
        line.startsWith('apiserver_request_total{') &&
        /resource="(httproutes|ciliumnetworkpolicies|ciliumclusterwidenetworkpolicies|ciliumnodeconfigs|configmaps|pods)"/.test(line),
    )
    .filter((line) => /verb="(POST|PUT|PATCH|DELETE)"/.test(line) && line.includes('dry_run=""'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const { records } = db.prepare("select count(*) as records from audit where kind <> 'refusal'").get() as { records: number };
    return { workflows: count, written, records, posts: slack.drive.messages(CHANNEL).length };
  } finally {
    db.close();
  }
}

function rssMb({ bot }: Rig): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${bot.pid}/status`, 'utf8'))?.[1] ?? '0';
  return Math.round(Number(kb) / 1024);
}
