import { DatabaseSync } from 'node:sqlite';
import type { Message } from '../../slack/messages.ts';
import { CHANNEL, Operation } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approve, approvedCanary } from './canary.ts';
import { underWatch } from './workers.ts';

/** Stories in which what remembers an operation is gone: its run on the Temporal server, or the database. */

const LONG = '/mesh canary backend 10% --soak 120s';

function replies(scene: Scene, { ts }: Operation): readonly Message[] {
  return scene.rig.slack.drive.thread(CHANNEL, ts).slice(1);
}

/** What Prometheus has of a metric of the bot, summed over clusters. */
async function metric(scene: Scene, name: string): Promise<number> {
  const answer = await fetch(`${scene.rig.stack.prometheus.url}/api/v1/query?query=${encodeURIComponent(`sum(${name})`)}`);
  const { data } = (await answer.json()) as { data: { result: readonly { readonly value: readonly [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? Number.NaN);
}

/** The operation as it goes on in the run that its target has now. */
async function recovered(scene: Scene, operation: Operation): Promise<Operation> {
  const { workflowId, runId } = await scene.rig.temporal.workflow.getHandle(operation.handle.workflowId).describe();
  return new Operation(scene.rig.slack.drive, scene.rig.temporal, operation, { workflowId, runId });
}

/** No record is taken while `work` is done: another process holds the lock. */
async function withoutDatabase<T>(scene: Scene, work: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(scene.rig.database);
  database.exec('pragma busy_timeout = 20000');
  database.exec('begin immediate');
  try {
    return await work();
  } finally {
    database.exec('rollback');
    database.close();
  }
}

/** How many records of a kind the database has of an operation. */
function recorded(scene: Scene, { opId }: Operation, kind: string): number {
  const database = new DatabaseSync(scene.rig.database, { readOnly: true });
  try {
    return Number(database.prepare('select count(*) as n from audit where op_id = ? and kind = ?').get(opId, kind)?.['n']);
  } finally {
    database.close();
  }
}

export const lostStories: readonly Scenario[] = [
  {
    name: 'run-terminated',
    story: "an operation's run is terminated by hand on the Temporal server: found, told, counted, and rolled back by abort",
    play: async (scene) => {
      const operation = await approvedCanary(scene, LONG);
      await underWatch(scene, operation);
      const at = Date.now();
      await operation.handle.terminate('by hand');
      await operation.seen(({ text }) => text.includes('not being watched'), 'the message to say that it is not being watched');
      const foundMs = Date.now() - at;
      const isSaid = () => replies(scene, operation).some(({ text }) => text.includes('Nobody watches a change on backend'));
      await scene.until(isSaid, 'the thread to say so');
      const status = await scene.type('/mesh status backend', 'reviewer');
      must(JSON.stringify(status.shown).includes(operation.opId), `the status does not name it: ${status.shown?.text ?? ''}`);
      await scene.until(async () => (await metric(scene, 'meshops_unwatched_operations')) === 1, 'the metric to count it', 30_000);
      must((await scene.weight(CANARY)) === 10, 'the canary has lost its weight although nobody asked for that');
      const abort = await scene.type(`/mesh abort ${operation.opId}`, 'reviewer');
      must(abort.ok, `the abort was not taken: ${abort.error}`);
      await scene.until(async () => (await scene.weight(CANARY)) === 0, 'the canary to be at 0%');
      const last = await recovered(scene, operation);
      const outcome = await last.result();
      must(outcome.kind === 'aborted' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await scene.token()) === undefined, 'the route still carries its token');
      await operation.seen(({ text }) => text.includes('aborted'), 'the message to show the end');
      await scene.until(async () => (await metric(scene, 'meshops_unwatched_operations')) === 0, 'the metric to forget it', 30_000);
      const next = await scene.begin('/mesh canary backend 5%');
      await next.abort('operator');
      await next.result();
      return { operation: last, extra: { foundMs } };
    },
  },
  {
    name: 'run-terminated-kept',
    story: "an operation's run is terminated by hand: an approver keeps what it wrote, which is free then and can be rolled back",
    play: async (scene) => {
      const operation = await approvedCanary(scene, LONG);
      await underWatch(scene, operation);
      await operation.handle.terminate('by hand');
      await operation.seen(({ text }) => text.includes('not being watched'), 'the message to say that it is not being watched');
      // What the lost run's watch still has on its way is not written over it.
      await scene.wait(3_000);
      must((await operation.press('operator', 'meshops:keep')).ok, 'the click of the requester got no answer');
      await scene.wait(1_000);
      must(recorded(scene, operation, 'outcome') === 0, 'whoever asked for the change has kept it');
      must((await operation.press('reviewer', 'meshops:keep')).ok, 'the click of the approver got no answer');
      await scene.until(() => recorded(scene, operation, 'outcome') === 1, 'its end to be on record');
      const last = await recovered(scene, operation);
      const outcome = await last.result();
      must(outcome.kind === 'completed' && outcome.code === 'Kept', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 10, 'what was kept is not in place');
      await operation.seen(({ text }) => text.includes('completed'), 'the message to show the end');
      await scene.type('/mesh rollback backend');
      await scene.until(async () => (await scene.weight(CANARY)) === 0, 'the rollback', 30_000);
      return { operation: last, extra: { words: outcome.words } };
    },
  },
  {
    name: 'run-terminated-waiting',
    story: 'the run of an operation that has written nothing is terminated by hand: it is closed without anybody, and its target is free',
    play: async (scene) => {
      const operation = await scene.begin('/mesh canary backend 10%');
      await operation.phase('waiting');
      await operation.handle.terminate('by hand');
      await operation.seen(({ text }) => text.includes('Nothing was changed'), 'the message to show the end');
      const last = await recovered(scene, operation);
      const outcome = await last.result();
      must(outcome.kind === 'failed' && outcome.code === 'RunLost', `the outcome is ${outcome.kind} ${outcome.code}: ${outcome.words}`);
      return { operation: last };
    },
  },
  {
    name: 'database-away-an-hour',
    story:
      'the database takes no record from the first watch until long after the last: nothing is undone or forgotten, the end waits for its record',
    play: async (scene) => {
      const operation = await scene.begin('/mesh canary backend 10% --steps 5,10');
      await approve(operation);
      await operation.phase('watching');
      const awayMs = 45_000;
      await withoutDatabase(scene, async () => {
        const until = Date.now() + awayMs;
        await operation.phase('over', awayMs);
        must((await scene.weight(CANARY)) === 10, 'a healthy canary was taken back');
        await scene.wait(Math.max(0, until - Date.now()));
        must(recorded(scene, operation, 'outcome') === 0, 'the outcome is on record already');
      });
      const outcome = await operation.result();
      must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must(recorded(scene, operation, 'outcome') === 1, 'the outcome is not on record');
      must(recorded(scene, operation, 'verdict') >= 3, 'verdicts are missing on record');
      await scene.type('/mesh rollback backend');
      await scene.until(async () => (await scene.weight(CANARY)) === 0, 'the rollback', 30_000);
      return { operation, extra: { awayMs } };
    },
  },
];
