import { CILIUM_POLICY, GRPC_ROUTE, HTTP_ROUTE, POD } from '../../../src/clients/kubernetes/objects.ts';
import { parseToken, TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import type { Asked, OperationTruth } from '../operation-truth.ts';
import type { Truth } from '../truth.ts';
import type { Invariant } from './invariant.ts';

/** Sentences and what must be so for them to be true. */
interface Claim {
  readonly words: RegExp;
  readonly isTrue: (truth: Truth, match: RegExpExecArray, operation: OperationTruth | undefined) => boolean;
}

const HEALTHY: Claim = {
  words: /traffic stayed healthy/,
  isTrue: (_truth, _match, operation) => {
    if (!operation) return true;
    return operation.watches.some(({ result }) => result?.verdict.kind === 'healthy');
  },
};

const DELETED: Claim = {
  words: /(?:has been|was) deleted/,
  isTrue: (truth) => truth.deleted,
};

const HELD: Claim = {
  words: /held by (?:another )?operation \*?([a-z]+-[a-z0-9]+)/,
  isTrue: (truth, [, opId = '']) => truth.operations.some((one) => one.opId === opId),
};

const RESOURCES = [HTTP_ROUTE, GRPC_ROUTE, CILIUM_POLICY, POD];

/** Of a route by its token, of a policy as well, of a pod by the label of the cohort that it is in. */
const SUPERSEDED: Claim = {
  words: /(\w+) (\S+)\/(\S+) is held by another operation, so nothing of it was touched/,
  isTrue: (truth, [, kind, namespace = '', name = ''], operation) => {
    const resource = RESOURCES.find((one) => one.kind === kind);
    const object = resource && truth.world.api.read({ ...resource, namespace, name });
    const { annotations, labels } = object?.metadata ?? {};
    const opId = parseToken(annotations?.[TOKEN_ANNOTATION] ?? '')?.opId ?? labels?.[COHORT_LABEL];
    return opId !== undefined && opId !== operation?.opId && truth.operations.some((one) => one.opId === opId);
  },
};

const NOT_ACCEPTED: Claim = {
  words: /is not accepted|not accepted by|has not (?:taken|accepted) the route/,
  // The Gateway's own controller takes every route of this world, sooner or later.
  isTrue: (truth) => (truth.world.options.controllerMs ?? 0) > 5_000 || !truth.hasLeftStatus,
};

const CLAIMS: readonly Claim[] = [HEALTHY, DELETED, HELD, SUPERSEDED, NOT_ACCEPTED];

export const EVERY_WORD_IS_TRUE: Invariant = {
  name: 'what the outcome says is true',
  says: 'The sentence at the end of an operation says what is so: healthy only what was seen healthy, gone only what is gone, held only by somebody who is there.',
  broken: (truth) => {
    for (const operation of truth.operations) {
      const { outcome, opId } = operation;
      if (!outcome || truth.checked.has(operation)) continue;
      truth.checked.add(operation);
      for (const { words, isTrue } of CLAIMS) {
        const match = words.exec(outcome.words);
        if (match && !isTrue(truth, match, operation)) return `${opId} (${operation.requests.at(-1)?.text}): "${outcome.words}"`;
      }
    }
    return undefined;
  },
};

/** Said to one person, after the operation had come to its end. */
function saidToHaveStarted({ world, operations }: Truth): string | undefined {
  for (const { at, text } of world.slack.whispers) {
    const [, opId] = /\*([a-z]+-[a-z0-9]+)\* has started/.exec(text) ?? [];
    const operation = opId === undefined ? undefined : operations.findLast((one) => one.opId === opId);
    if (operation?.closedAt !== undefined && operation.closedAt < at) return `"${text}" was said when ${opId} was over`;
  }
  return undefined;
}

/** A question which of several operations is meant names each of them once. */
function askedTwice({ answer = '' }: Asked): string | undefined {
  if (!answer.includes('could be meant')) return undefined;
  const named = [...answer.matchAll(/•\s+\*?([a-z]+-[a-z0-9]+)/g)].map(([, opId]) => opId);
  const twice = named.find((opId, index) => named.indexOf(opId) !== index);
  return twice && `"${answer}" offers ${twice} twice`;
}

function untrue(truth: Truth, { answer = '', told, what }: Asked): string | undefined {
  const holder = truth.byToken(told?.token ?? null);
  const isHeld =
    holder !== undefined &&
    told?.isOpen === false &&
    !holder.run.isOpen &&
    holder.outcome === undefined &&
    (told?.written ?? 0) > holder.shareBefore;
  const nothing = /Nothing runs on|there was nothing to stop|No operation runs|Nothing runs/.test(answer);
  if (nothing && isHeld && !answer.includes('nobody watches a change'))
    return `"${answer}" was the answer to ${JSON.stringify(what)} while ${parseToken(told?.token ?? '')?.opId} is in force`;
  return undefined;
}

export const EVERY_REFUSAL_IS_TRUE: Invariant = {
  name: 'every refusal is true',
  says: 'Nobody is told that nothing runs while a change of an operation without an end is in force, nor that one has started that is over.',
  broken: (truth) => {
    for (const asked of truth.requests) {
      const words = untrue(truth, asked) ?? askedTwice(asked);
      if (words !== undefined) return words;
    }
    return saidToHaveStarted(truth);
  },
};
