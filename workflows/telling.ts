import { sleep, workflowInfo } from '@temporalio/workflow';
import type { JsonObject } from '../src/domain/json.ts';
import type { Note, SeriesPoint } from '../src/domain/lifecycle/contract.ts';
import type { AuditRecord, OperationView, StageView } from '../src/domain/lifecycle/operation.ts';
import { Lane } from './lane.ts';
import { joinSeries } from './series.ts';
import { shared } from './steps.ts';

/** What an operation tells: its one message, notes in the thread, the chart, the audit record. In the background, waited for only at the end. */
export class Telling {
  series: readonly SeriesPoint[] = [];
  readonly #channelId: string;
  readonly #slack = new Lane('slack');
  readonly #audit = new Lane('audit');
  #view: OperationView;
  #publishing = false;
  #records: AuditRecord[] = [];
  #recorded = 0;
  #noted = 0;
  #held = false;

  constructor(view: OperationView, channelId: string) {
    this.#view = view;
    this.#channelId = channelId;
  }

  get view(): OperationView {
    return this.#view;
  }

  /** Tells the channel nothing until there is a plan, or `ms` have passed: a command that is refused before is refused in private. */
  holdBack(ms: number): void {
    this.#held = true;
    void sleep(ms)
      .then(() => this.#release())
      .catch(() => undefined);
  }

  #release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.show({});
  }

  /** Changes what everybody sees, and shows it. */
  show(change: Partial<OperationView>): void {
    this.#view = { ...this.#view, ...change };
    if (this.#held && isPrivate(this.#view)) return;
    this.#held = false;
    if (this.#publishing) return;
    this.#publishing = true;
    this.#slack.push(async () => {
      this.#publishing = false;
      const message = await shared.announce({ view: this.#view, channelId: this.#channelId });
      this.#view = { ...this.#view, message };
    });
  }

  showStage(number: number, change: Partial<StageView>, rest: Partial<OperationView> = {}): void {
    this.show({ ...rest, stages: this.#view.stages.map((stage) => (stage.number === number ? { ...stage, ...change } : stage)) });
  }

  say(note: Note): void {
    if (this.#held) return;
    const key = `${this.#view.opId}/${++this.#noted}`;
    this.#slack.push(async () => {
      const { message } = this.#view;
      if (message) await shared.say({ view: this.#view, thread: message, note, key });
    });
  }

  addSeries(points: readonly SeriesPoint[]): void {
    this.series = joinSeries(this.series, points);
  }

  drawChart(): void {
    this.#slack.push(async () => {
      const { message } = this.#view;
      if (message && this.series.length > 0) await shared.chart({ view: this.#view, thread: message, series: this.series });
    });
  }

  /** Earlier messages of the target lose the buttons that held until now. */
  retireEarlier(): void {
    const { target, verb, opId } = this.#view;
    this.#slack.push(() => shared.retire({ target, verb, opId }));
  }

  record(kind: AuditRecord['kind'], data: JsonObject, actor?: string): void {
    // The end of a run's id is chance; its beginning may be the time (UUIDv7), the same for two runs within a minute.
    const key = `${this.#view.opId}/${workflowInfo().runId.slice(-12)}/${++this.#recorded}`;
    this.#records.push({ key, at: Date.now(), kind, opId: this.#view.opId, target: this.#view.target, ...(actor && { actor }), data });
    this.#audit.push(async () => {
      const records = this.#records.splice(0);
      if (records.length > 0) await shared.record({ records });
    });
  }

  /** Resolves when everything that was to be told has been told, and every record is kept. */
  async told(): Promise<void> {
    await Promise.all([this.#slack.idle(), this.#audit.idle()]);
  }

  /** Resolves when every record so far is kept. */
  kept(): Promise<void> {
    return this.#audit.idle();
  }

  /** Changes what is shown at the next change. */
  amend(change: Partial<OperationView>): void {
    this.#view = { ...this.#view, ...change };
  }

  /** Takes a part out of the view; it is seen at the next change. */
  forget(part: 'gate' | 'undoFailing' | 'drift' | 'frozen' | 'awaited' | 'takesBack' | 'reason'): void {
    const { [part]: _, ...view } = this.#view;
    this.#view = view as OperationView;
  }
}

/** Nothing to show yet, or nothing ever: it was refused before there was a plan. */
function isPrivate({ phase, stages, outcome }: OperationView): boolean {
  if (stages.length > 0) return false;
  return phase === 'planning' || (phase === 'over' && (outcome?.kind === 'impossible' || outcome?.kind === 'failed'));
}
