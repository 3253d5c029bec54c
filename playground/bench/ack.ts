import type { JsonObject } from '../../src/domain/json.ts';
import { type Rig, startRig } from '../rig/rig.ts';
import type { Outcome } from '../slack/outcome.ts';
import type { Bench } from './bench.ts';
import { quantiles } from './quantiles.ts';

/** How long a slash command takes to be acknowledged, durable start included: Slack gives it 3 s. */
const COMMANDS = 200;
const EVERY_MS = 100;
/** Each command has a target of its own, so that each starts an operation; Slack's posting limits are not what is measured. */
const NO_LIMITS = {
  postPerSecond: 1_000,
  postBurst: 1_000,
  perMinute: { 1: 10_000, 2: 10_000, 3: 10_000, 4: 10_000, post: 10_000, connect: 100 },
} as const;

export const ack: Bench = {
  name: 'ack',
  what: `acknowledgement of ${COMMANDS} slash commands at ${1_000 / EVERY_MS}/s, from Slack's request to the answer, each a durable start`,
  run: async (context) => {
    const rig = await startRig({
      ...context,
      preset: 'ideal',
      seed: 1,
      pace: 'fast',
      split: true,
      slackLimits: NO_LIMITS,
      requestsPerSecond: 10,
    });
    try {
      await fire(rig, 5);
      return report(await fire(rig, COMMANDS));
    } finally {
      await rig.stop();
    }
  },
};

let fired = 0;

/** Types the commands at a steady rate, none waiting for another. */
async function fire(rig: Rig, count: number): Promise<readonly Outcome[]> {
  const operator = rig.slack.drive.as('U0OPERATOR');
  const began = performance.now();
  const answers: Promise<Outcome>[] = [];
  for (let index = 0; index < count; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + index * EVERY_MS - performance.now())));
    fired += 1;
    answers.push(operator.command('C0MESH', `/mesh canary service-${fired} 10%`));
  }
  return Promise.all(answers);
}

function report(answers: readonly Outcome[]): JsonObject {
  const started = answers.filter((answer) => answer.ok && /started/i.test(answer.shown?.text ?? ''));
  return {
    commands: answers.length,
    perSecond: 1_000 / EVERY_MS,
    acknowledged: answers.filter((answer) => answer.ok).length,
    started: started.length,
    ackMs: quantiles(answers.map((answer) => answer.ackMs)),
  };
}
