import type { JsonObject } from '../../src/domain/json.ts';
import type { ReportProgress } from '../cluster/progress.ts';

/** One thing that is measured. It returns its figures; it never decides whether they are good. */
export interface Bench {
  readonly name: string;
  /** What is measured, in one sentence. */
  readonly what: string;
  run(context: {
    readonly signal: AbortSignal;
    readonly progress: ReportProgress;
    /** Repetitions, where a bench has any; its own number when left out. */
    readonly runs?: number;
    /** Of what is drawn by chance, where a bench draws anything. */
    readonly seed?: number;
  }): Promise<JsonObject>;
}
