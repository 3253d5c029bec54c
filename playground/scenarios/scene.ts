import { DatabaseSync } from 'node:sqlite';
import type { Rig } from '../rig/rig.ts';
import type { Message } from '../slack/messages.ts';
import type { Outcome as Shown } from '../slack/outcome.ts';
import { CHANNEL, Operation, operationIn, PEOPLE, type PersonName } from './operation.ts';
import { must, StoryBroken } from './scenario.ts';

/** The gateway's Service pair of the demo mesh. */
export const STABLE = 'backend/backend';
export const CANARY = 'backend/backend-canary';
const ROUTE = '/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/backend';

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

  /** Types a command and waits for the operation's root message, or for its end: refused in time, it has none. */
  async begin(line: string, person: PersonName = 'operator'): Promise<Operation> {
    const known = new Set(this.newRoots().map(({ ts }) => ts));
    const before = new Set(endedIn(this.rig.database).map(({ opId }) => opId));
    const shown = await this.type(line, person);
    must(shown.ok, `Slack said ${shown.error}: ${shown.shown?.text ?? ''}`);
    try {
      const refused = await this.poll(
        () =>
          this.newRoots().some(({ ts }) => !known.has(ts)) ? 'shown' : endedIn(this.rig.database).find(({ opId }) => !before.has(opId)),
        'the root message of the operation, or its end',
      );
      if (refused === 'shown') return await this.operation(20_000, known);
      return new Operation(this.rig.slack.drive, this.rig.temporal, { opId: refused.opId }, refused, this.#stepMs);
    } catch (error) {
      const heard = this.rig.slack.drive.as(PEOPLE[person]).ephemerals().slice(-2);
      throw new StoryBroken(`${String(error)} The person was told: ${heard.map((message) => message.text).join(' | ')}`);
    }
  }

  /** The operation of the first root message that came since the story began, or after those that are `known` (by ts). */
  async operation(timeoutMs = 20_000, known: ReadonlySet<string> = new Set()): Promise<Operation> {
    const message = await this.rig.slack.drive.waitFor(() => this.newRoots().find(({ ts }) => !known.has(ts)), {
      timeoutMs,
      what: 'the root message of the operation',
    });
    const opId = operationIn(message) ?? '';
    const started = await this.poll(() => startedIn(this.rig.database, opId), `the record that ${opId} has started`, timeoutMs);
    return new Operation(this.rig.slack.drive, this.rig.temporal, { opId, ts: message.ts }, started, this.#stepMs);
  }

  get #stepMs(): number | undefined {
    return this.rig.cilium.identityWithinMs;
  }

  roots(): readonly Message[] {
    return this.rig.slack.drive.messages(CHANNEL).filter((message) => operationIn(message) !== undefined);
  }

  newRoots(): readonly Message[] {
    return this.roots().filter((message) => !this.#known.has(message.ts));
  }

  /** Called at the moment at which the story breaks the mesh. */
  onBreak: (() => void) | undefined;

  /** From now on the mesh is broken. */
  breaks(): void {
    this.brokenAt = Date.now();
    this.onBreak?.();
  }

  /** Breaks the mesh now. */
  break(how: (rig: Rig) => void): void {
    this.breaks();
    how(this.rig);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** What a person alone was told since the story began. */
  heard(person: PersonName = 'operator'): readonly string[] {
    const since = this.began / 1_000;
    return this.rig.slack.drive
      .as(PEOPLE[person])
      .ephemerals()
      .filter((message) => Number(message.ts) >= since)
      .map((message) => `${message.text} ${JSON.stringify(message.blocks ?? [])}`);
  }

  /** Scales a Deployment as admin. */
  async scale(namespace: string, name: string, replicas: number): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    const { kube } = this.rig.stack;
    const body = JSON.stringify({ spec: { replicas } });
    const answer = await kube.api({
      method: 'PATCH',
      path,
      body,
      contentType: 'application/merge-patch+json',
      signal: AbortSignal.timeout(5_000),
    });
    must(answer.status === 200, `${namespace}/${name} was not scaled (${answer.status})`);
  }

  /** Waits until the simulated mesh is in some state; it is looked at every 50 ms. */
  async until(holds: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
    await this.poll(async () => (await holds()) || undefined, what, timeoutMs);
  }

  /** The first value that is there, looked for every 50 ms. */
  async poll<T>(look: () => T | undefined | Promise<T | undefined>, what: string, timeoutMs = 20_000): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      must(Date.now() < end, `${what} did not come within ${timeoutMs} ms`);
      await this.wait(50);
    }
  }

  /** Reads an object or a list of the cluster as admin. */
  async read(path: string): Promise<unknown> {
    const answer = await this.rig.stack.kube.api({ method: 'GET', path, signal: AbortSignal.timeout(5_000) });
    must(answer.status === 200, `${path} cannot be read (${answer.status})`);
    return JSON.parse(answer.body) as unknown;
  }

  /** Applies an object as admin, as somebody beside meshops would. */
  async put(path: string, object: object): Promise<void> {
    const body = JSON.stringify(object);
    const query = 'fieldManager=somebody-else&force=true';
    const answer = await this.rig.stack.kube.api({
      method: 'PATCH',
      path: `${path}?${query}`,
      body,
      contentType: 'application/apply-patch+yaml',
      signal: AbortSignal.timeout(5_000),
    });
    must(answer.status < 300, `${path} was not applied (${answer.status}): ${answer.body.slice(0, 300)}`);
  }

  /** Deletes an object as admin; one that is gone already is fine. */
  async remove(path: string): Promise<void> {
    const answer = await this.rig.stack.kube.api({ method: 'DELETE', path, signal: AbortSignal.timeout(5_000) });
    must(answer.status < 300 || answer.status === 404, `${path} was not deleted (${answer.status})`);
  }

  /** Weight of a backend in the first rule of the demo route, as the API server has it. */
  async weight(service: string): Promise<number> {
    const route = (await this.route()) as { spec: { rules: { backendRefs: { name: string; weight?: number }[] }[] } };
    return route.spec.rules[0]?.backendRefs.find((backend) => `backend/${backend.name}` === service)?.weight ?? 1;
  }

  /** The token of the operation that holds the demo route. */
  async token(): Promise<string | undefined> {
    const { metadata } = (await this.route()) as { metadata: { annotations?: Record<string, string> } };
    return metadata.annotations?.['meshops.dev/operation'];
  }

  /** The demo route as the API server has it now. */
  route(): Promise<unknown> {
    return this.read(ROUTE);
  }
}

/** What the bot has recorded of an operation's start. */
function startedIn(database: string, opId: string): { workflowId: string; runId: string } | undefined {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const row = db.prepare('select workflow_id, run_id from operations where op_id = ?').get(opId);
    return row && row['run_id'] !== null ? { workflowId: String(row['workflow_id']), runId: String(row['run_id']) } : undefined;
  } finally {
    db.close();
  }
}

/** Operations that are over before anything was planned. */
function endedIn(database: string): readonly { opId: string; workflowId: string; runId: string }[] {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const rows = db.prepare("select op_id, workflow_id, run_id from operations where outcome = 'impossible' and run_id is not null").all();
    return rows.map((row) => ({ opId: String(row['op_id']), workflowId: String(row['workflow_id']), runId: String(row['run_id']) }));
  } finally {
    db.close();
  }
}
