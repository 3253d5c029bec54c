import type { WayBack } from '../../../src/domain/lifecycle/change.ts';
import type { OperationTruth, OwnWrite } from '../operation-truth.ts';
import type { Truth } from '../truth.ts';
import type { Invariant } from './invariant.ts';

const EPSILON = 1e-9;

/** Gates at which enough other people have said yes, before `at`. */
function agreedGates({ decisions, requests }: OperationTruth, at: number): number {
  const isOwn = ({ actor, at: when }: OperationTruth['decisions'][number]): boolean =>
    requests.some(({ requester, takenAt }) => requester.id === actor.id && takenAt <= when);
  const yes = decisions.filter((one) => one.at <= at && ['approve', 'adopt', 'restore', 'continue'].includes(one.choice) && !isOwn(one));
  return new Set(yes.map(({ gateId }) => gateId)).size;
}

/** How many gates the rules put before this share, for an operation that began at another. */
function neededGates({ requests, shareBefore }: OperationTruth, to: number): number {
  const rules = requests.at(-1)?.settings.gates ?? requests[0]?.settings.gates ?? [];
  const crossed = rules.filter(({ above }) => to > above && shareBefore <= above);
  return Math.max(1, crossed.length);
}

function rises(truth: Truth): readonly { operation: OperationTruth; write: OwnWrite }[] {
  return truth.operations.flatMap((operation) =>
    operation.writes.filter(({ from, to }) => to > from + EPSILON).map((write) => ({ operation, write })),
  );
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10}%`;

export const NOTHING_WITHOUT_CONSENT: Invariant = {
  name: 'nothing in force without consent',
  says: 'The share of the canary never rises by a write of meshops unless people other than the one who asked have agreed to it; nor by a way back.',
  broken: (truth) => {
    for (const { operation, write } of rises(truth)) {
      const isForward = write.by.kind === 'person';
      const agreed = agreedGates(operation, write.at);
      const needed = isForward ? neededGates(operation, write.to) : 1;
      if (agreed >= needed) continue;
      const how = isForward ? 'a stage' : 'an undo';
      return `${how} of ${operation.opId} raised the canary from ${percent(write.from)} to ${percent(write.to)} after ${agreed} of ${needed} agreements`;
    }
    return undefined;
  },
};

/** A write may have been on its way when the freeze began (ms). */
const FROZEN_MS = 15_000;

export const NOTHING_FORWARD_IN_A_FREEZE: Invariant = {
  name: 'nothing goes forward in a freeze',
  says: 'While a freeze holds, no stage is written that raises the share of the canary.',
  broken: (truth) => {
    const { apart } = truth.world.clocks;
    for (const { operation, write } of rises(truth)) {
      if (write.by.kind === 'person' && write.frozenFor > FROZEN_MS + apart)
        return `a stage of ${operation.opId} raised the canary to ${percent(write.to)} ${Math.round(write.frozenFor / 1_000)} s into a freeze`;
    }
    return undefined;
  },
};

/** Has this person asked for what was decided then? A step that another request has taken the place of before anything of it was written is no one's any more. */
function hasAsked({ requests, writes }: OperationTruth, id: string, at: number): boolean {
  const taken = requests.filter(({ takenAt }) => takenAt <= at);
  const wrote = writes.some(({ by }) => by.kind === 'person' && by.name === `meshops:${id}`);
  return taken.some(({ requester }, index) => requester.id === id && (wrote || index === taken.length - 1));
}

export const NO_APPROVAL_COUNTED_TWICE: Invariant = {
  name: 'no approval counted twice',
  says: 'One person counts once at one gate, and never for what they asked for themselves.',
  broken: (truth) => {
    for (const operation of truth.operations) {
      const { decisions, opId } = operation;
      const yes = decisions.filter(({ choice }) => choice === 'approve' || choice === 'continue');
      const own = yes.find(({ actor, at }) => hasAsked(operation, actor.id, at));
      if (own) return `${own.actor.id} approved the own request ${opId} at ${own.gateId}`;
      const keys = yes.map(({ gateId, actor }) => `${gateId} ${actor.id}`);
      const twice = keys.find((key, index) => keys.indexOf(key) !== index);
      if (twice) return `a decision at ${opId} counted twice: ${twice}`;
    }
    return undefined;
  },
};

export const OLD_BUTTONS_ACT_ON_THEIR_OWN: Invariant = {
  name: 'a button acts on its own operation',
  says: 'A button on the message of an operation never changes what another has made that completed after it.',
  broken: (truth) => {
    for (const operation of truth.operations) {
      const [request] = operation.requests;
      const pressed = request && truth.pressed.get(request.requestId);
      if (!request || pressed === undefined || operation.writes.length === 0) continue;
      const own = truth.operations.findLast((one) => one.opId === pressed);
      const last = truth.operations.findLast(
        (one) => one.outcome?.kind === 'completed' && one.wasWritten && (one.closedAt ?? Number.POSITIVE_INFINITY) <= request.takenAt,
      );
      // A step back that is offered by an operation that was undone is about what stood before it.
      const isLater = (last?.closedAt ?? 0) > (own?.closedAt ?? Number.POSITIVE_INFINITY);
      if (last && isLater && pressed !== last.opId)
        return `a button of ${pressed} started ${operation.opId}, which changed what ${last.opId} had made`;
    }
    return undefined;
  },
};

export const A_WAY_BACK_IS_OF_ITS_VERB: Invariant = {
  name: 'a way back is of its verb',
  says: 'Whatever two verbs share, a name above all: a way back of one never begins from an operation of the other.',
  broken: ({ operations }) => {
    for (const { requests, opId } of operations) {
      for (const { change, verb } of requests) {
        const { of } = change as Partial<WayBack>;
        if (change.kind === 'back' && of !== undefined && !of.startsWith(`${verb}-`))
          return `${opId} (${verb}) is to be the way back of ${of}`;
      }
    }
    return undefined;
  },
};
