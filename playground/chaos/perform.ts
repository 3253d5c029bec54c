import { parseButton } from '../../src/domain/lifecycle/button.ts';
import { answerClick } from '../../src/slack/clicks.ts';
import { answerSlash } from '../../src/slack/commands.ts';
import { requestIdOf } from '../../src/slack/origin.ts';
import { OtherHands } from './hands.ts';
import type { Happening } from './step.ts';
import type { Truth } from './truth.ts';
import { WorkerFaults } from './worker-faults.ts';
import { CHANNEL, PEOPLE, TEAM } from './world/people.ts';
import type { ShownButton } from './world/slack.ts';
import type { World } from './world/world.ts';

interface Request {
  readonly by: string;
  readonly triggerId: string;
  readonly send: (triggerId: string) => Promise<string | undefined>;
  readonly what: Happening;
}

/** Makes things happen. What people are answered, and when, goes to the truth. */
export class Performer {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #hands: OtherHands;
  readonly #workers: WorkerFaults;
  #triggers = 0;
  #last: Request | undefined;

  constructor(world: World, truth: Truth) {
    this.#world = world;
    this.#truth = truth;
    this.#hands = new OtherHands(world);
    this.#workers = new WorkerFaults(world, truth);
  }

  /** Does it; does not wait for what comes of it. */
  perform(what: Happening): void {
    const world = this.#world;
    world.time.wake();
    switch (what.do) {
      case 'command':
        return this.#send(what, (triggerId) => this.#command(what.by, what.text, triggerId));
      case 'press': {
        const button = world.slack.buttons.findLast(({ action, isThere }) => action === what.action && isThere);
        return button && this.#press(what, button, what.reason);
      }
      case 'press-old': {
        const shown = world.slack.buttons.filter(({ action }) => action === what.action);
        const button = shown.at(-1 - what.back);
        return button && this.#press(what, button);
      }
      case 'redeliver':
        return this.#last && this.#deliver(this.#last);
      case 'edit-weights':
      case 'edit-label':
      case 'strip-token':
      case 'forge-token':
      case 'delete-route':
      case 'recreate-route':
        return this.#hands.edit(what);
      case 'offer':
        return world.workload.offer(what.policy);
      case 'replace-pod':
        this.#truth.deleted = true;
        return world.workload.replaceOne(what.inPlace);
      case 'scale-workload':
        this.#truth.deleted = true;
        return world.workload.scale(what.count);
      case 'connect':
        return world.workload.connect(what.which);
      case 'edit-policy':
      case 'delete-policy':
        return this.#hands.touchPolicy(what.do);
      case 'relabel-pod':
        return world.workload.relabel(what.how);
      case 'other-policy':
        this.#truth.deleted = true;
        return world.workload.oversee(what.which);
      case 'leave-status':
        this.#truth.hasLeftStatus = true;
        return world.mesh.leaveStatus();
      case 'scale':
        return world.mesh.scale(what.side, what.count);
      case 'fail':
        return world.traffic.fail(what.side, what.share);
      case 'quiet':
        world.traffic.quiet = what.quiet;
        return;
      case 'outage':
        return what.system === 'worker' ? this.#workers.break(what.mode) : world.faults.set(what.system, what.mode);
      case 'heal':
        if (what.system === 'worker') this.#workers.heal();
        return world.faults.heal(what.system);
      case 'agent':
        return world.agents.setAway(what.node, what.away);
      case 'lose':
        this.#truth.lose(what.node, what.count);
        return world.agents.lose(what.node, what.count);
      case 'kill-worker':
        return this.#workers.kill(what.backAfter);
      case 'terminate':
        return world.temporal.runs.findLast(({ isOpen }) => isOpen)?.terminate('by hand');
      default:
        return what satisfies never;
    }
  }

  /** Everything is well again: nobody breaks anything any more. */
  heal(): void {
    const { faults, agents, traffic, mesh, workload } = this.#world;
    this.#workers.heal();
    for (const [system] of faults.present) faults.heal(system);
    for (const { node } of agents.nodes) agents.setAway(node, false);
    traffic.fail('stable', 0);
    traffic.fail('canary', 0);
    traffic.quiet = false;
    if (workload.pods.length === 0) workload.scale(3);
    for (const side of ['stable', 'canary'] as const) if (mesh.pods(side).length === 0) mesh.scale(side, 2);
  }

  #send(what: Request['what'] & { by: string }, send: Request['send']): void {
    const request = { by: what.by, triggerId: `t${++this.#triggers}`, send, what };
    this.#last = request;
    this.#deliver(request);
  }

  #deliver({ by, triggerId, send, what }: Request): void {
    const asked = this.#truth.asked(by, what);
    send(triggerId).then(
      (answer) => this.#truth.answered(asked, answer),
      (error: unknown) => {
        // The bot answers that something failed and nothing is known to be changed, which is what can be said while the database is away.
        if (String(error).includes('the database does not answer')) this.#truth.answered(asked, undefined);
        else this.#truth.broke(`a request broke: ${String(error)}`);
      },
    );
  }

  #origin(name: string, triggerId: string) {
    const person = PEOPLE.find((each) => each.name === name);
    if (!person) throw new Error(`nobody is called ${name}`);
    return { teamId: TEAM, appId: undefined, channelId: CHANNEL, userId: person.userId, triggerId };
  }

  async #command(by: string, text: string, triggerId: string): Promise<string> {
    const { product, admission, slack } = this.#world;
    const origin = this.#origin(by, triggerId);
    const later = async (answer: { text: string }): Promise<void> => {
      slack.whisper(origin.userId, answer.text);
    };
    return (await answerSlash(product.bot, admission, { origin, command: '/mesh', text }, later)).text;
  }

  #press(what: Request['what'] & { by: string }, { action, value }: ShownButton, reason?: string): void {
    this.#send(what, async (triggerId) => {
      const { product, admission, slack } = this.#world;
      const origin = this.#origin(what.by, triggerId);
      const ids = parseButton(value);
      if (ids) this.#truth.pressed.set(requestIdOf(origin), ids.opId);
      const later = async (answer: { text: string }): Promise<void> => {
        slack.whisper(origin.userId, answer.text);
      };
      const click = { origin, action: action as never, value, ...(reason !== undefined && { reason }) };
      return (await answerClick(product.bot, admission, click, later))?.text;
    });
  }
}
