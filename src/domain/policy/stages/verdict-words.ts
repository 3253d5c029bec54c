// What the judge of drops says.
import type { Direction } from '../policy.ts';
import type { ConnectionEvidence } from './connection.ts';
import { doubtKey, groupWords } from './group.ts';

export const WATCH_LONGER = 'Watch longer, or go on knowing that.';

export function harmWords(group: ConnectionEvidence['group'], example: string, counts: string): string {
  const who = group.peer.kind === 'cluster' ? 'a peer inside the cluster' : 'a peer that was let through before';
  return `The policy drops connections ${groupWords(group)}, ${who}: ${example}. They were allowed before. ${counts}. If that is meant, accept it with \`--accept ${doubtKey(group)}\`.`;
}

export function doubtWords(doubts: readonly { readonly words: string }[], observing: boolean, counts: string): string {
  const named = doubts.slice(0, 3).map(({ words }) => words);
  const rest = doubts.length > 3 ? ` and ${doubts.length - 3} more groups` : '';
  const what = observing ? 'would be dropped once the policy is enforced' : 'is dropped';
  return `What ${what} and may be meant to be: ${named.join('; ')}${rest}. ${counts}.`;
}

/** Nothing came in a direction that the observe window looks at. */
export function silentWords(silent: readonly Direction[]): string {
  return `Not one connection was seen in direction ${silent.join(' and ')} in the whole window, so nothing is known about what the policy would do there. ${WATCH_LONGER}`;
}

export function replacedWords({ left, of }: { readonly left: number; readonly of: number }): string {
  return `${of - left} of the ${of} pods of this step were replaced, and not one connection of a pod under the policy was seen: this step proves nothing.`;
}

export function unprovedWords(needed: string, counts: string): string {
  return `Not seen in the watch: ${needed}. So this step proves nothing about it. ${counts}. ${WATCH_LONGER}`;
}
