import type { Hear } from './watching.ts';

/** A node whose agent the operation itself replaces, and until when its silence is no surprise (epoch ms). */
export interface Absence {
  readonly node: string;
  readonly until: number;
}

/**
 * Hears of a node that is away by the operation's own doing as of one that comes back: nothing there blinds the judge before `until`. From
 * then on it blinds like any other. `absences` is asked at each gap, since the stages name the nodes one after the other.
 */
export function expecting(hear: Hear, absences: () => readonly Absence[]): Hear {
  return (event) => {
    const absence = event.kind === 'gap' ? absences().find(({ node }) => node === bare(event.node)) : undefined;
    if (event.kind !== 'gap' || !absence || event.at >= absence.until) return hear(event);
    const { lost: _ofTheOldAgent, ...gap } = event;
    hear({ ...gap, patienceMs: absence.until - event.at });
  };
}

/** Agents may write a node with its cluster before it. */
function bare(node: string): string {
  return node.slice(node.lastIndexOf('/') + 1);
}
