import { describe, expect, it } from 'vitest';
import { type Played, play } from '../../playground/chaos/simulate.ts';
import type { Schedule } from '../../playground/chaos/step.ts';

const UNSEEN = 'no stage of a policy passes unseen';

/** Schedules that broke a promise once, as they were shrunk; each is looked at for the promise that it broke. */
async function broken(schedule: Schedule, invariant: string): Promise<Played['violation']> {
  return (await play(schedule, { only: [invariant, 'nothing breaks'] })).violation;
}

// The first schedule also bundles the workflows.
describe('what chaos has found', { timeout: 120_000 }, () => {
  it('a second rollback brings nothing back into force', async () => {
    const schedule: Schedule = {
      seed: 2,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 60000 },
        { do: 'command', by: 'Omar', text: 'rollback backend', wait: 1000 },
        { do: 'press-old', by: 'Omar', action: 'meshops:next-rollback', back: 0, wait: 0 },
      ],
    };
    expect(await broken(schedule, 'nothing in force without consent')).toBeUndefined();
  });

  it('an operation whose run was ended by hand is found and can be stopped', async () => {
    const schedule: Schedule = {
      seed: 14,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 1000 },
        { do: 'terminate', wait: 0 },
        { do: 'command', by: 'Olga', text: 'abort backend', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'every refusal is true')).toBeUndefined();
  });

  it('harm is undone while another hand has changed the weights and a gate waits', async () => {
    const schedule: Schedule = {
      seed: 34,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 0 },
        { do: 'press', by: 'Rita', action: 'meshops:extend', wait: 15000 },
        { do: 'command', by: 'Olga', text: 'canary backend 50%', wait: 0 },
        { do: 'press', by: 'Omar', action: 'meshops:approve', wait: 1000 },
        { do: 'edit-weights', canary: 25, wait: 0 },
        { do: 'fail', side: 'canary', share: 1, wait: 15000 },
        { do: 'command', by: 'Gus', text: 'freeze demo 1m deploys', wait: 38460 },
      ],
    };
    expect(await broken(schedule, 'harm is undone')).toBeUndefined();
  });

  it('an abort that comes as the operation ends counts', async () => {
    const schedule: Schedule = {
      seed: 1559,
      world: { afterwatchMs: 0 },
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Omar', action: 'meshops:approve', wait: 15000 },
        { do: 'command', by: 'Olga', text: 'canary backend 0%', wait: 200 },
        { do: 'command', by: 'Omar', text: 'rollback backend', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'an accepted abort ends aborted')).toBeUndefined();
  });

  it('a token of an operation that never was holds nobody', async () => {
    const schedule: Schedule = {
      seed: 7,
      world: {},
      steps: [
        { do: 'forge-token', wait: 0 },
        { do: 'command', by: 'Olga', text: 'canary backend 50%', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'what the outcome says is true')).toBeUndefined();
  });

  it('a database that is away for an hour loses no outcome', async () => {
    const schedule: Schedule = {
      seed: 3027,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Omar', action: 'meshops:approve', wait: 1000 },
        { do: 'outage', system: 'database', mode: 'down', wait: 4500000 },
      ],
    };
    expect(await broken(schedule, 'no target held by an operation that is over')).toBeUndefined();
  });

  it('the word of another controller blocks nobody', async () => {
    const schedule: Schedule = {
      seed: 19,
      world: {},
      steps: [
        { do: 'leave-status', wait: 0 },
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'what the outcome says is true')).toBeUndefined();
  });

  it('events that were lost on a node without traffic blind nobody', async () => {
    const schedule: Schedule = {
      seed: 84,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 50%', wait: 1000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 1000 },
        { do: 'lose', node: 'node-other', count: 3, wait: 0 },
      ],
    };
    expect(await broken(schedule, 'only nodes that matter blind')).toBeUndefined();
  });

  it('a watch that has lost events does not end healthy', async () => {
    const schedule: Schedule = {
      seed: 130,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Omar', action: 'meshops:approve', wait: 15000 },
        { do: 'lose', node: 'node-gateway', count: 50000, wait: 0 },
      ],
    };
    expect(await broken(schedule, 'what was not seen is remembered')).toBeUndefined();
  });

  // A policy's connections are decided where its pods are, and nowhere else.
  const lostAfterPolicy = (node: string): Schedule => ({
    seed: 2032,
    world: { policies: true },
    steps: [
      { do: 'command', by: 'Omar', text: 'policy enforce backend --no-observe', wait: 2000 },
      { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 50000 },
      { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 60000 },
      { do: 'lose', node, count: 50000, wait: 30000 },
    ],
  });

  it('the last watch of a policy remembers what was lost where its pods are', async () => {
    expect(await broken(lostAfterPolicy('node-pods'), 'what was not seen is remembered')).toBeUndefined();
  });

  it('what the gateway has lost says nothing of the connections of a policy', async () => {
    expect(await broken(lostAfterPolicy('node-gateway'), 'what was not seen is remembered')).toBeUndefined();
  });

  it('what nobody watched is not called healthy', async () => {
    const schedule: Schedule = {
      seed: 83,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 60000 },
        { do: 'scale', side: 'stable', count: 0, wait: 0 },
        { do: 'command', by: 'Olga', text: 'canary backend 0%', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'what the outcome says is true')).toBeUndefined();
  });

  it('a stage of a policy whose pods were replaced is not called healthy', async () => {
    const schedule: Schedule = {
      seed: 428,
      world: { policies: true },
      steps: [
        { do: 'command', by: 'Olga', text: 'policy enforce backend --window 10s', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 1000 },
        { do: 'scale-workload', count: 3, wait: 0 },
        { do: 'press-old', by: 'Rita', action: 'meshops:approve', back: 1, wait: 15000 },
        { do: 'press', by: 'Omar', action: 'meshops:approve', wait: 0 },
      ],
    };
    expect(await broken(schedule, UNSEEN)).toBeUndefined();
  });

  it('a way back that closes something does not begin beside a rollout of the same pods', async () => {
    const schedule: Schedule = {
      seed: 3093,
      world: { budget: 4, gates: 1, policies: true },
      steps: [
        { do: 'command', by: 'Omar', text: 'policy enforce backend --no-observe', wait: 2594 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 240000 },
        { do: 'command', by: 'Olga', text: 'policy bootstrap shop --no-observe', wait: 1907 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 17198 },
        { do: 'command', by: 'Olga', text: 'rollback backend', wait: 2087 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 54439 },
      ],
    };
    expect(await broken(schedule, 'no pod under two rollouts')).toBeUndefined();
  });

  it('a rollback after a policy does not say that anything was deleted', async () => {
    const schedule: Schedule = {
      seed: 1,
      world: { policies: true },
      steps: [
        { do: 'command', by: 'Olga', text: 'policy enforce backend --no-observe', wait: 3000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 120000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 200000 },
        { do: 'command', by: 'Olga', text: 'rollback backend', wait: 60000 },
      ],
    };
    expect(await broken(schedule, 'what the outcome says is true')).toBeUndefined();
  });

  it('what has its outcome, and waits for Slack alone, is not said to be stopped', async () => {
    const schedule: Schedule = {
      seed: 307466076,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 5%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 0 },
        { do: 'outage', system: 'slack', mode: 'error', wait: 0 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 60000 },
        { do: 'command', by: 'Omar', text: 'rollback backend', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'an accepted abort ends aborted')).toBeUndefined();
  });

  it('a request that was taken while nobody answered is not taken again once its run is over', async () => {
    const schedule: Schedule = {
      seed: 1954,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'freeze demo 2h deploys', wait: 0 },
        { do: 'outage', system: 'worker', mode: 'hang', wait: 0 },
        { do: 'command', by: 'Omar', text: 'canary backend 100%', wait: 2218 },
        { do: 'press', by: 'Omar', action: 'meshops:approve', wait: 10057 },
      ],
    };
    expect(await broken(schedule, 'the audit record tells the whole story')).toBeUndefined();
    expect(await broken(schedule, 'every refusal is true')).toBeUndefined();
  });

  it('a worker that dies as a guard is relieved undoes nothing', async () => {
    const schedule: Schedule = {
      seed: 1037,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 5%', wait: 1526 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 65300, until: 'watching' },
        { do: 'kill-worker', backAfter: 100, wait: 60000 },
      ],
    };
    expect(await broken(schedule, 'nothing healthy is undone because a helper is away')).toBeUndefined();
  });

  it('an abort whose worker dies at once ends aborted', async () => {
    const schedule: Schedule = {
      seed: 5,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 1500 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 20000, until: 'watching' },
        { do: 'redeliver', wait: 3000 },
        { do: 'command', by: 'Olga', text: 'abort backend', wait: 6 },
        { do: 'kill-worker', backAfter: 8000, wait: 60000 },
      ],
    };
    expect(await broken(schedule, 'an accepted abort ends aborted')).toBeUndefined();
  });

  it('a write that was under way when its operation was stopped is on record', async () => {
    const schedule: Schedule = {
      seed: 20166,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 5%', wait: 1240 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 60091, until: 'applying' },
        { do: 'outage', system: 'worker', mode: 'down', wait: 20000 },
        { do: 'command', by: 'Omar', text: 'rollback backend', wait: 5000 },
        { do: 'heal', system: 'worker', wait: 30000 },
      ],
    };
    expect(await broken(schedule, 'the audit record tells the whole story')).toBeUndefined();
  });

  it('what has completed since a run was lost stays when that one is closed', async () => {
    const schedule: Schedule = {
      seed: 10915,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 50%', wait: 1500 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 40000 },
        { do: 'terminate', wait: 1000 },
        { do: 'strip-token', wait: 1000 },
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 2000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 120000 },
      ],
    };
    expect(await broken(schedule, 'what completed stays')).toBeUndefined();
  });

  it('a lost operation that was ended while nobody answered is not ended again', async () => {
    const schedule: Schedule = {
      seed: 50416,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 5%', wait: 1500 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 5000 },
        { do: 'terminate', wait: 1000 },
        { do: 'outage', system: 'worker', mode: 'down', wait: 1000 },
        { do: 'command', by: 'Omar', text: 'abort backend', wait: 12500 },
        { do: 'heal', system: 'worker', wait: 60000 },
      ],
    };
    expect(await broken(schedule, 'the audit record tells the whole story')).toBeUndefined();
  });

  it('a guard that was armed before the watch had told what it used of the budget goes on with what is left', async () => {
    const schedule: Schedule = {
      seed: 3829,
      world: { budget: 4 },
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 50%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 7445 },
        { do: 'fail', side: 'canary', share: 0.1, wait: 15000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 3842 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 60000 },
        { do: 'scale', side: 'stable', count: 0, wait: 0 },
        { do: 'command', by: 'Omar', text: 'rollback backend', wait: 15000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 60000 },
      ],
    };
    expect(await broken(schedule, 'one budget for one operation')).toBeUndefined();
  });

  it('a canary that fails goes back also where another hand has given it everything', async () => {
    const schedule: Schedule = {
      seed: 5008,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 1%', wait: 621 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 2000 },
        { do: 'fail', side: 'canary', share: 1, wait: 0 },
        { do: 'edit-weights', canary: 100, wait: 60000 },
      ],
    };
    expect(await broken(schedule, 'as approved or exactly as before')).toBeUndefined();
  });

  it('an undo gives the canary nothing where another hand has taken everything from it', async () => {
    const schedule: Schedule = {
      seed: 8200,
      world: { gates: 1 },
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 65448 },
        { do: 'command', by: 'Omar', text: 'canary backend 100%', wait: 1000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 20000 },
        { do: 'edit-weights', canary: 0, wait: 2000 },
        { do: 'command', by: 'Olga', text: 'abort backend', wait: 5000 },
      ],
    };
    expect(await broken(schedule, 'nothing in force without consent')).toBeUndefined();
  });

  it('a share is no further step of a header rule: its undo would have left that rule in force', async () => {
    const schedule: Schedule = {
      seed: 11065,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 1704 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 70000 },
        { do: 'command', by: 'Omar', text: 'ab backend x-canary=v2', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 14000 },
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 2700 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 220000 },
      ],
    };
    expect(await broken(schedule, 'as approved or exactly as before')).toBeUndefined();
  });

  it("an undo that comes once more, after the token has gone back to an earlier operation, is the later one's", async () => {
    const schedule: Schedule = {
      seed: 11013,
      world: {},
      steps: [
        { do: 'outage', system: 'slack', mode: 'down', wait: 7206 },
        { do: 'press', by: 'Olga', action: 'meshops:continue', wait: 216 },
        { do: 'heal', system: 'slack', wait: 0 },
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1034 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 64568 },
        { do: 'fail', side: 'canary', share: 1, wait: 4156 },
        { do: 'command', by: 'Omar', text: 'canary backend 10%', wait: 2714 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 63661 },
        { do: 'command', by: 'Omar', text: 'rollback backend', wait: 2592 },
        { do: 'command', by: 'Omar', text: 'canary backend 5%', wait: 2690 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 12169 },
        { do: 'edit-weights', canary: 25, wait: 0 },
      ],
    };
    expect(await broken(schedule, 'the audit record tells the whole story')).toBeUndefined();
  });

  it('a step that another person has asked for in its place may be approved by whoever asked for it first', async () => {
    const schedule: Schedule = {
      seed: 14762,
      world: {},
      steps: [
        { do: 'command', by: 'Omar', text: 'canary backend 5%', wait: 973 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 0 },
        { do: 'press', by: 'Omar', action: 'meshops:restore', wait: 15000 },
        { do: 'command', by: 'Raj', text: 'canary backend 10%', wait: 0 },
        { do: 'outage', system: 'api', mode: 'error', wait: 2742 },
        { do: 'heal', system: 'api', wait: 0 },
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 1000 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 0 },
      ],
    };
    expect(await broken(schedule, 'no approval counted twice')).toBeUndefined();
  });

  it('of a run that is gone people are told as soon as Slack takes messages', async () => {
    const schedule: Schedule = {
      seed: 12245,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 1000 },
        { do: 'outage', system: 'slack', mode: 'error', wait: 0 },
        { do: 'terminate', wait: 6978 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 69273 },
      ],
    };
    expect(await broken(schedule, 'what is in force is watched')).toBeUndefined();
  });

  it('a freeze that is set while a slow API server plans and claims is waited for', async () => {
    const schedule: Schedule = {
      seed: 18796,
      world: {},
      steps: [
        { do: 'outage', system: 'api', mode: 'slow', wait: 3341 },
        { do: 'fail', side: 'canary', share: 0.06, wait: 120000 },
        { do: 'press', by: 'Gus', action: 'meshops:approve', wait: 2031 },
        { do: 'command', by: 'Olga', text: 'canary backend 10%', wait: 372 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 60000 },
        { do: 'outage', system: 'database', mode: 'hang', wait: 1000 },
        { do: 'heal', system: 'database', wait: 0 },
        { do: 'press', by: 'Raj', action: 'meshops:approve', wait: 1000 },
        { do: 'command', by: 'Olga', text: 'freeze demo 2h deploys', wait: 15000 },
      ],
    };
    expect(await broken(schedule, 'nothing goes forward in a freeze')).toBeUndefined();
  });

  it('who takes a watch over hears from the ring what was lost before it came', async () => {
    const schedule: Schedule = {
      seed: 17717,
      world: {},
      steps: [
        { do: 'command', by: 'Olga', text: 'canary backend 5%', wait: 1000 },
        { do: 'press', by: 'Rita', action: 'meshops:approve', wait: 44270 },
        { do: 'outage', system: 'worker', mode: 'hang', wait: 0 },
        { do: 'lose', node: 'node-gateway', count: 50000, wait: 15000 },
      ],
    };
    expect(await broken(schedule, 'what was not seen is remembered')).toBeUndefined();
  });
});
