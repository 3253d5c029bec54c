import { CILIUM_POLICY, type KubeObject, type Route } from '../../activities/clients/kubernetes/objects.ts';
import { parseButton } from '../../src/domain/button.ts';
import { TOKEN_ANNOTATION } from '../../src/domain/plan.ts';
import { requestIdOf } from '../../src/slack/admission.ts';
import { answerClick } from '../../src/slack/clicks.ts';
import { answerSlash } from '../../src/slack/commands.ts';
import type { Happening } from './step.ts';
import type { WorkerProcess } from './temporal/worker.ts';
import type { Truth } from './truth.ts';
import type { Writer } from './world/api-server.ts';
import { CANARY_NAME, NAMESPACE, routeRef, SERVICE_NAME } from './world/mesh.ts';
import { CHANNEL, PEOPLE, TEAM } from './world/people.ts';
import type { ShownButton } from './world/slack.ts';
import type { World } from './world/world.ts';

const HAND: Writer = { kind: 'foreign', name: 'kubectl-edit' };
const ROUTE = routeRef('backend');
const POLICY = { ...CILIUM_POLICY, namespace: NAMESPACE, name: 'backend' };

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
  #triggers = 0;
  #last: Request | undefined;
  #deleted: KubeObject | undefined;
  #deaf: WorkerProcess | undefined;

  constructor(world: World, truth: Truth) {
    this.#world = world;
    this.#truth = truth;
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
        return this.#edit(what);
      case 'offer':
        return world.workload.offer(what.policy);
      case 'replace-pod':
        this.#truth.deleted = true;
        return world.workload.replaceOne();
      case 'scale-workload':
        this.#truth.deleted = true;
        return world.workload.scale(what.count);
      case 'connect':
        return world.workload.connect(what.which);
      case 'edit-policy':
      case 'delete-policy':
        return this.#touchPolicy(what.do);
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
        return what.system === 'worker' ? this.#breakWorker(what.mode) : world.faults.set(what.system, what.mode);
      case 'heal':
        if (what.system === 'worker') this.#healWorker();
        return world.faults.heal(what.system);
      case 'agent':
        return world.agents.setAway(what.node, what.away);
      case 'lose':
        this.#truth.lose(what.node, what.count);
        return world.agents.lose(what.node, what.count);
      case 'kill-worker':
        return this.#killWorker(what.backAfter);
      case 'terminate':
        return world.temporal.runs.findLast(({ isOpen }) => isOpen)?.terminate('by hand');
      default:
        return what satisfies never;
    }
  }

  /** Everything is well again: nobody breaks anything any more. */
  heal(): void {
    const { faults, agents, traffic, mesh, workload } = this.#world;
    this.#healWorker();
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

  #edit(
    what: Extract<Happening, { do: 'edit-weights' | 'edit-label' | 'strip-token' | 'forge-token' | 'delete-route' | 'recreate-route' }>,
  ): void {
    const { api } = this.#world;
    switch (what.do) {
      case 'edit-weights':
        return void api.edit(ROUTE, HAND, (route) => withWeights(route as Route, what.canary));
      case 'edit-label':
        return void api.edit(ROUTE, HAND, (route) => ({
          ...route,
          metadata: { ...route.metadata, labels: { ...route.metadata.labels, note: what.value } },
        }));
      case 'strip-token':
      case 'forge-token':
        return void api.edit(ROUTE, HAND, (route) => {
          const { [TOKEN_ANNOTATION]: _, ...annotations } = route.metadata.annotations ?? {};
          const forged = what.do === 'forge-token' && { [TOKEN_ANNOTATION]: 'canary-ffffff/1' };
          return { ...route, metadata: { ...route.metadata, annotations: { ...annotations, ...forged } } };
        });
      case 'delete-route':
        this.#deleted = api.read(ROUTE) ?? this.#deleted;
        if (api.read(ROUTE)) api.remove(ROUTE, HAND);
        return;
      case 'recreate-route': {
        const was = this.#deleted;
        if (!was || api.read(ROUTE)) return;
        api.create(ROUTE, { spec: was.spec ?? {}, metadata: { labels: { ...was.metadata.labels } } }, HAND);
        return;
      }
      default:
        return what satisfies never;
    }
  }

  #touchPolicy(what: 'edit-policy' | 'delete-policy'): void {
    const { api } = this.#world;
    if (!api.read(POLICY)) return;
    if (what === 'delete-policy') api.remove(POLICY, HAND);
    else api.edit(POLICY, HAND, (policy) => ({ ...policy, spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] } }));
  }

  #killWorker(backAfter: number): void {
    const { temporal, time, product } = this.#world;
    const [worker] = temporal.workers;
    if (worker) temporal.kill(worker);
    this.#truth.workerDied();
    time.after(backAfter, () => {
      if (this.#world.faults.mode('worker') === undefined || temporal.workers.length > 0) temporal.join(product.newWorker('worker'));
    });
  }

  #breakWorker(mode: 'down' | 'slow' | 'error' | 'hang'): void {
    const { temporal, faults } = this.#world;
    if (faults.mode('worker') !== undefined) this.#healWorker();
    faults.set('worker', mode);
    switch (mode) {
      case 'down':
        for (let worker = temporal.workers[0]; worker; worker = temporal.workers[0]) temporal.kill(worker);
        return;
      case 'error':
        return this.#crash();
      case 'slow':
        for (const worker of temporal.workers) worker.taskMs = 2_500;
        return;
      case 'hang': {
        // One process loses its line to Temporal and goes on; where there is another, it takes over.
        const [worker] = temporal.workers;
        this.#deaf = worker;
        if (worker) temporal.disconnect(worker);
        return;
      }
    }
  }

  /** Crashes every few seconds for as long as the outage lasts. */
  #crash(): void {
    const { faults, time } = this.#world;
    if (faults.mode('worker') !== 'error') return;
    this.#killWorker(1_000);
    time.after(7_000, () => this.#crash());
  }

  #healWorker(): void {
    const { temporal, product, faults } = this.#world;
    const mode = faults.mode('worker');
    faults.heal('worker');
    if (this.#deaf?.alive) temporal.reconnect(this.#deaf);
    this.#deaf = undefined;
    for (const worker of temporal.workers) worker.taskMs = 2;
    if (mode === 'down' || temporal.workers.length === 0) temporal.join(product.newWorker('worker'));
  }
}

function withWeights(route: Route, canary: number): Route {
  const weights: Readonly<Record<string, number>> = { [SERVICE_NAME]: 100 - canary, [CANARY_NAME]: canary };
  const rules = (route.spec.rules ?? []).map((rule) => ({
    ...rule,
    backendRefs: (rule.backendRefs ?? []).map((each) => ({ ...each, weight: weights[each.name] ?? each.weight ?? 1 })),
  }));
  return { ...route, spec: { ...route.spec, rules } };
}
