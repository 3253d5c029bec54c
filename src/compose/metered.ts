// The metrics of the activities, taken from what goes in and out of them: the activities themselves know nothing of metrics.

import { type Flow, millisecondsOf } from '../clients/hubble/flow.ts';
import type { Flows } from '../clients/hubble/flows.ts';
import type { WatchResult } from '../domain/lifecycle/contract.ts';
import type { ActivityMeter } from '../telemetry.ts';

type Activities = Readonly<Record<string, (input: never) => Promise<unknown>>>;

/** Counts verdicts, times restores, counts undos that failed. Steps are told by their names, `<verb>.<step>`. */
export function meteredActivities(activities: Activities, meter: ActivityMeter): Activities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => {
      if (name.endsWith('.watch')) return [name, meteredWatch(activity, meter)];
      if (name.endsWith('.restore')) return [name, meteredRestore(activity, meter)];
      return [name, activity];
    }),
  );
}

function meteredWatch(activity: Activities[string], meter: ActivityMeter): Activities[string] {
  return async (input) => {
    const result = (await activity(input)) as WatchResult;
    meter.verdict(result.verdict.kind);
    if (result.fuse?.result.kind === 'restored') meter.restored(result.fuse.endedAt - result.fuse.startedAt);
    return result;
  };
}

function meteredRestore(activity: Activities[string], meter: ActivityMeter): Activities[string] {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      meter.undoFailed();
      throw error;
    }
  };
}

/** Measures how late evidence comes. With nobody watching there is no lag to speak of. */
export function meteredFlows(flows: Flows, meter: ActivityMeter): Flows {
  let followers = 0;
  return {
    ...flows,
    follow: (keys, follower, signal) => {
      if (signal.aborted) return;
      followers += 1;
      signal.addEventListener('abort', () => (--followers === 0 ? meter.evidenceLag(0) : undefined), { once: true });
      const flow = (record: Flow, node: string, seenAt: number): void => {
        const at = millisecondsOf(record.time);
        if (at > 0) meter.evidenceLag(Math.max(0, seenAt - at));
        follower.flow(record, node, seenAt);
      };
      const heard = { ...follower, flow, gap: follower.gap.bind(follower), sight: follower.sight.bind(follower) };
      flows.follow(keys, heard, signal);
    },
  };
}
