import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../src/domain/json.ts';
import { type Rig, startRig } from '../rig/rig.ts';
import { CHANNEL, PEOPLE } from '../scenarios/operation.ts';
import { play } from '../scenarios/play.ts';
import { SCENARIOS } from '../scenarios/registry.ts';
import { Scene } from '../scenarios/scene.ts';
import { findElement } from '../slack/block-kit/elements.ts';
import type { Bench } from './bench.ts';
import { HOSTILE_FILES } from './hostile-files.ts';
import { quantiles } from './quantiles.ts';
import { summary } from './rollback.ts';

const CLICKS_PER_MINUTE = 1_000;
const FILES_PER_MINUTE = 100;
/** The member who does harm: one of many, neither requester nor approver. */
const HOSTILE = { id: 'U0HOSTILE', teamId: 'T0MESHOPS', name: 'hostile', realName: 'Hostile', email: 'hostile@example.com' };
const ABORTS = 24;
const FUSES = 12;
/** Operator and reviewer keep within what one person may ask in a minute. */
const CYCLE_MS = 2_400;

export const hostile: Bench = {
  name: 'hostile',
  what: `aborts and fuses of others, without and beside one member's ${CLICKS_PER_MINUTE} clicks and ${FILES_PER_MINUTE} files a minute, bot and worker in one process`,
  run: async (context) => {
    const rig = await startRig({ ...context, preset: 'ideal', seed: 1, pace: 'fast', split: false });
    try {
      const quiet = await phase(rig, context.runs ?? ABORTS, context.signal);
      const stop = new AbortController();
      const attack = attacked(rig, stop.signal);
      const beside = await phase(rig, context.runs ?? ABORTS, context.signal);
      stop.abort();
      return { quiet, beside: { ...beside, ...(await attack) } };
    } finally {
      await rig.stop();
    }
  },
};

async function phase(rig: Rig, aborts: number, signal: AbortSignal): Promise<JsonObject> {
  const scenario = SCENARIOS.find(({ name }) => name === 'canary-5xx');
  if (!scenario) throw new Error('There is no scenario canary-5xx.');
  const reports = [];
  for (let seed = 1; seed <= Math.min(FUSES, aborts) && !signal.aborted; seed += 1) reports.push(await play(rig, scenario, { seed }));
  const { ok, broken, judgeMs, decidedToRestoredMs, restoredMs, harmedRequests } = summary(reports);
  const fuse = { runs: reports.length, ok, broken, judgeMs, decidedToRestoredMs, restoredMs, harmedRequests } as JsonObject;
  return { fuse, abort: await abortsOf(rig, aborts, signal), healthzMs: await healthz(rig) };
}

/** A canary that waits for its approval, aborted by another person's click: until they are answered, and until it is over. */
async function abortsOf(rig: Rig, count: number, signal: AbortSignal): Promise<JsonObject> {
  const [answered, over]: [number[], number[]] = [[], []];
  const failed: string[] = [];
  const reviewer = rig.slack.drive.as(PEOPLE.reviewer);
  for (let one = 0; one < count && !signal.aborted; one += 1) {
    const began = performance.now();
    try {
      const operation = await new Scene(rig, Math.random, Date.now()).begin('/mesh canary backend 10%');
      await operation.seen((message) => findElement(message.blocks ?? [], 'meshops:abort') !== undefined, 'the button Abort');
      const heard = reviewer.ephemerals().length;
      const at = performance.now();
      const ended = operation.result().then((outcome) => ({ outcome, ms: performance.now() - at }));
      await operation.abort('reviewer');
      await rig.slack.drive.waitFor(() => reviewer.ephemerals().length > heard, { what: 'the answer to an abort' });
      answered.push(performance.now() - at);
      const { outcome, ms } = await ended;
      if (outcome.kind === 'aborted') over.push(ms);
      else failed.push(outcome.kind);
    } catch (error) {
      failed.push(String(error).slice(0, 200));
    }
    await sleep(Math.max(0, began + CYCLE_MS - performance.now()), undefined, { signal }).catch(() => undefined);
  }
  return { count, aborted: over.length, failed, answeredMs: quantiles(answered), overMs: quantiles(over) };
}

async function healthz(rig: Rig): Promise<JsonObject> {
  const took: number[] = [];
  for (let one = 0; one < 10; one += 1) {
    const began = performance.now();
    await fetch(new URL('/healthz', rig.url)).then((answer) => answer.text());
    took.push(performance.now() - began);
    await sleep(100);
  }
  return quantiles(took);
}

/** Clicks (a command where no message has a button) and files at their rates until the signal aborts; how many were sent. */
async function attacked(rig: Rig, stop: AbortSignal): Promise<JsonObject> {
  rig.slack.drive.join(HOSTILE, CHANNEL);
  const attacker = rig.slack.drive.as(HOSTILE.id);
  const pending = new Set<Promise<unknown>>();
  let [sent, clicks, files] = [0, 0, 0];
  const began = performance.now();
  const run = (work: Promise<unknown>): void => {
    const done = work.catch(() => undefined).finally(() => pending.delete(done));
    pending.add(done);
  };
  const buttons = ['meshops:approve', 'meshops:reject', 'meshops:extend', 'meshops:status', 'meshops:history'];
  const clicking = every(60_000 / CLICKS_PER_MINUTE, stop, () => {
    const root = rig.slack.drive.messages(CHANNEL).findLast(({ blocks = [] }) => buttons.some((id) => findElement(blocks, id)));
    const turned = [...buttons.slice(sent % buttons.length), ...buttons];
    const button = turned.find((id) => root && findElement(root.blocks ?? [], id));
    sent += 1;
    if (!root || !button) return run(attacker.command(CHANNEL, '/mesh abort backend'));
    clicks += 1;
    run(attacker.click(CHANNEL, root.ts, button));
  });
  const attaching = every(60_000 / FILES_PER_MINUTE, stop, () => {
    const text = HOSTILE_FILES[files % HOSTILE_FILES.length] ?? '';
    files += 1;
    attacker.say(CHANNEL, '@meshops check backend/backend', { files: [{ name: `p${files}.yaml`, data: Buffer.from(text) }] });
  });
  await Promise.all([clicking, attaching]);
  await Promise.all(pending);
  const minutes = (performance.now() - began) / 60_000;
  const perMinute = { clicksAndCommands: Math.round(sent / minutes), files: Math.round(files / minutes) };
  return { clicks, commands: sent - clicks, files, perMinute };
}

async function every(ms: number, stop: AbortSignal, act: () => void): Promise<void> {
  const began = performance.now();
  for (let one = 0; !stop.aborted; one += 1) {
    act();
    await sleep(Math.max(0, began + (one + 1) * ms - performance.now()), undefined, { signal: stop }).catch(() => undefined);
  }
}
