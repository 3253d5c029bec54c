import type { Rig } from '../rig/rig.ts';
import type { Message } from '../slack/messages.ts';
import type { Outcome as Shown } from '../slack/outcome.ts';
import { CHANNEL, Operation, operationIn, PEOPLE, type PersonName } from './operation.ts';
import { must } from './scenario.ts';

/** The gateway's Service pair of the demo mesh. */
export const STABLE = 'backend/backend';
export const CANARY = 'backend/backend-canary';
const WORKFLOW_ID = 'mesh/demo/backend/backend';

/** What a story works with: people, the mesh to break, and a seeded chance. */
export class Scene {
  readonly rig: Rig;
  /** Uniform in [0, 1), seeded. */
  readonly random: () => number;
  /** When the story began (epoch ms): all times of the report count from here. */
  readonly began: number;
  /** When the story broke the mesh, if it did. */
  brokenAt: number | undefined;
  readonly #known: ReadonlySet<string>;

  constructor(rig: Rig, random: () => number, began: number) {
    this.rig = rig;
    this.random = random;
    this.began = began;
    this.#known = new Set(this.roots().map((message) => message.ts));
  }

  /** Types a command as a person and says what that person saw. */
  type(line: string, person: PersonName = 'operator'): Promise<Shown> {
    return this.rig.slack.drive.as(PEOPLE[person]).command(CHANNEL, line);
  }

  /** Types a command and waits for the operation's root message. */
  async begin(line: string, person: PersonName = 'operator'): Promise<Operation> {
    const shown = await this.type(line, person);
    must(shown.ok, `Slack said ${shown.error}: ${shown.shown?.text ?? ''}`);
    return this.operation();
  }

  /** The operation of the first root message that came since the story began. */
  async operation(timeoutMs = 20_000): Promise<Operation> {
    const message = await this.rig.slack.drive.waitFor(() => this.newRoots()[0], { timeoutMs, what: 'the root message of the operation' });
    const operation = new Operation(this.rig.slack.drive, this.rig.temporal, message, WORKFLOW_ID);
    await operation.pin();
    return operation;
  }

  roots(): readonly Message[] {
    return this.rig.slack.drive.messages(CHANNEL).filter((message) => operationIn(message) !== undefined);
  }

  newRoots(): readonly Message[] {
    return this.roots().filter((message) => !this.#known.has(message.ts));
  }

  /** Breaks the mesh now. */
  break(how: (rig: Rig) => void): void {
    this.brokenAt = Date.now();
    how(this.rig);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Waits until the simulated mesh is in some state; it is looked at every 50 ms. */
  async until(holds: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!holds()) {
      must(Date.now() < end, `${what} did not come within ${timeoutMs} ms`);
      await this.wait(50);
    }
  }

  /** Weight of a backend in the first rule of the demo route, as the API server has it. */
  async weight(service: string): Promise<number> {
    const route = (await this.route()) as { spec: { rules: { backendRefs: { name: string; weight?: number }[] }[] } };
    return route.spec.rules[0]?.backendRefs.find((backend) => `backend/${backend.name}` === service)?.weight ?? 1;
  }

  /** The demo route as the API server has it now. */
  async route(): Promise<unknown> {
    const path = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';
    const answer = await this.rig.stack.kube.api({ method: 'GET', path, signal: AbortSignal.timeout(5_000) });
    must(answer.status === 200, `the route cannot be read (${answer.status})`);
    return JSON.parse(answer.body) as unknown;
  }
}
