import type { FlowFollower } from './stream-listener.ts';

const NOT_HELD = 'its ring does not reach back to where nobody watched';

/**
 * What a ring no longer holds of the time that a watch has missed is told as a gap, with as many records a second as it holds of later. `watchedTo`: until when
 * somebody has watched; `openedAt`: from when the streams are heard (both epoch ms).
 */
export function toldNotHeld(
  { gap, sight }: Pick<FlowFollower, 'gap' | 'sight'>,
  { watchedTo, openedAt, now }: { readonly watchedTo: number; readonly openedAt: number; readonly now: () => number },
): Required<Pick<FlowFollower, 'reached'>> {
  return {
    reached(node, at, records) {
      if (at <= watchedTo) return;
      const missed = Math.ceil((records * (at - watchedTo)) / Math.max(1, openedAt - at));
      gap(node, at, NOT_HELD, Math.max(1, missed));
      sight(node, now());
    },
  };
}
