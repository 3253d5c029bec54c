// What an operation is called, and how it is: one line, the same wherever it is listed. Pure.
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { isClusterWide } from '../domain/target.ts';
import { capital } from '../domain/words/words.ts';
import { stateWords } from './next-action.ts';

/** A headline has at most so many characters: it is one line on a telephone. */
const LONGEST_HEADLINE = 60;
const SHORTEST_NAME = 5;

/** What it is and how it is: the header of its message, and its line wherever it is listed. Plain text; a long name loses its middle. */
export function headline(view: OperationView): string {
  const [verb, state, place] = [capital(view.verb), stateWords(view), placeOf(view)];
  const roomBeside = (tail: string): number => LONGEST_HEADLINE - verb.length - state.length - tail.length - 3;
  const tail = roomBeside(tailOf(view)) < SHORTEST_NAME ? '' : tailOf(view);
  const room = Math.max(SHORTEST_NAME, roomBeside(tail));
  // The namespace goes first.
  const name = place.length <= room || isClusterWide(view.target) ? place : view.target.name;
  return `${verb} ${shortened(name, room)}${tail}: ${state}`;
}

/** What is asked for, where one step says it: ` 10%`. */
function tailOf({ stages }: Pick<OperationView, 'stages'>): string {
  const label = stages.at(-1)?.label ?? '';
  return /^\d+(\.\d+)?%$/.test(label) ? ` ${label}` : '';
}

function shortened(name: string, room: number): string {
  if (name.length <= room) return name;
  const kept = room - 1;
  return `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(name.length - Math.floor(kept / 2))}`;
}

/** In its channel the cluster goes without saying, unless it is what is changed. */
function placeOf({ target }: Pick<OperationView, 'target'>): string {
  return isClusterWide(target) ? target.cluster : `${target.namespace}/${target.name}`;
}

/** `Canary backend/backend 10%`: what people call an operation. Plain text. */
export function subjectOf(view: Pick<OperationView, 'verb' | 'target' | 'stages'>): string {
  return `${capital(view.verb)} ${placeOf(view)}${tailOf(view)}`;
}
