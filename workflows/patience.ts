import { CancellationScope, patched, sleep } from '@temporalio/workflow';
import type { Approver, GateRule } from '../src/domain/lifecycle/gate.ts';
import { type OperationRequest, type OperationView } from '../src/domain/lifecycle/operation.ts';
import { isWayBack } from '../src/domain/verb.ts';
import type { Course } from './course.ts';
import { shared } from './steps.ts';

/** An outage is shown after this long. */
const SHOWN_AFTER_MS = 30_000;

/** Waits for what an outage may keep away, and shows that it is away. Ends with an abort, and with nothing else but the work. */
export async function patiently<T>(
  course: Course,
  what: NonNullable<OperationView['awaited']>['what'],
  work: () => Promise<T>,
): Promise<T> {
  const since = Date.now();
  const timer = new CancellationScope();
  let isShown = false;
  const showing = timer
    .run(async () => {
      await sleep(SHOWN_AFTER_MS);
      isShown = true;
      course.show({ awaited: { what, since } });
    })
    .catch(() => undefined);
  try {
    return await Promise.race([work(), CancellationScope.current().cancelRequested]);
  } finally {
    timer.cancel();
    await showing;
    if (isShown) {
      course.forget('awaited');
      course.show({});
    }
  }
}

// What follows adds no turn of the event loop where it is not patched: in a replay the order of commands hangs on it.

/** Who may decide at a gate. Slack's silence opens no gate and ends none: it is asked until it answers. */
export function whoDecides(course: Course, rule: GateRule, request: OperationRequest): Promise<readonly Approver[]> {
  const ask = (): Promise<readonly Approver[]> => shared.resolveApprovers({ rule, request });
  return patched('patience') ? patiently(course, 'approvers', ask) : ask();
}

/**
 * Must the record first hold the request, what will be written and what was before, and who agreed? A run that is lost can be rolled back
 * from there. What only takes something back waits for no record.
 */
export function recordsComeFirst(request: OperationRequest): boolean {
  return !isWayBack(request) && patched('records-first');
}

export function recordsKept(course: Course): Promise<void> {
  return patiently(course, 'records', () => course.kept());
}
