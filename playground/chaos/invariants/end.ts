import type { KubeObject, Route } from '../../../src/clients/kubernetes/objects.ts';
import { managedState } from '../../../src/domain/lifecycle/managed-state.ts';
import type { OperationTruth } from '../operation-truth.ts';
import type { Truth } from '../truth.ts';
import { shareOf, weightsOf } from '../world/mesh.ts';
import type { Invariant } from './invariant.ts';

const SETTLED_MS = 1_500;

/** The operation that wrote last, where it is over and nobody has touched the route since it let go of it. */
function ended(truth: Truth): readonly OperationTruth[] {
  const last = truth.operations.findLast(({ wasWritten }) => wasWritten);
  const { closedAt, foreign, writes } = last ?? {};
  if (!last || closedAt === undefined || truth.now - closedAt <= SETTLED_MS) return [];
  // An undo takes the token away: from then on the route is nobody's, also while it is watched whether all is well again.
  const undone = writes?.findLast(({ by }) => by.kind === 'bot');
  const letGoAt = undone?.at ?? closedAt;
  return foreign?.some(({ at }) => at >= letGoAt) ? [] : [last];
}

/** What only takes from the canary is not given back when it is stopped: nobody has agreed to that. */
function staysLow({ writes, shareBefore }: OperationTruth, route: KubeObject): boolean {
  const isLowering = writes.length > 0 && writes.every(({ to }) => to <= shareBefore + 1e-9);
  return isLowering && shareOf(weightsOf(route as Route)) <= shareBefore + 1e-9;
}

function changedWeights({ before, after }: { before: KubeObject | undefined; after: KubeObject | undefined }): boolean {
  return JSON.stringify((before as Route | undefined)?.spec) !== JSON.stringify((after as Route | undefined)?.spec);
}

export const AS_APPROVED_OR_AS_BEFORE: Invariant = {
  name: 'as approved or exactly as before',
  says: 'After the end all is as people approved, or exactly as it was before; what other hands have changed is kept.',
  broken: (truth) => {
    for (const operation of ended(truth)) {
      const { outcome, before, foreign, opId } = operation;
      const { route } = truth;
      if (route && staysLow(operation, route)) continue;
      if (!outcome || !before || !route || route.metadata.uid !== before.metadata.uid) continue;
      if (outcome.kind === 'superseded' || outcome.kind === 'abandoned' || outcome.kind === 'completed') continue;
      const forged = foreign.some(({ after }) => after?.metadata.annotations?.['meshops.dev/operation'] === 'canary-ffffff/1');
      if (foreign.length === 0 && managedState(route) !== managedState(before))
        return `${opId} ended ${outcome.kind}, and the route differs from before`;
      const isShareOurs = !foreign.some(changedWeights);
      const [was, is] = [weightsOf(before as Route), weightsOf(route as Route)];
      if (isShareOurs && (was.canary !== is.canary || was.stable !== is.stable))
        return `${opId} ended ${outcome.kind}, and the weights are ${is.stable}/${is.canary}, not ${was.stable}/${was.canary}`;
      // What another hand has given everything to is left with it, unless it does harm.
      const mayKeep = is.stable + was.canary === 0 && outcome.verdict?.kind !== 'harmful';
      // A header rule moves no weight, so none is its own.
      const hasShare = operation.writes.some(({ by, to }) => by.kind !== 'bot' && Math.abs(to - operation.shareBefore) > 1e-9);
      if (!isShareOurs && hasShare && !forged && is.canary > was.canary && !mayKeep)
        return `${opId} ended ${outcome.kind} beside another hand, and its own weight stays at ${is.canary}`;
      const label = foreign.findLast(({ after }) => after?.metadata.labels?.['note'] !== undefined)?.after?.metadata.labels?.['note'];
      if (label !== undefined && route.metadata.labels?.['note'] !== label) return `${opId} took away a label of another hand`;
    }
    return undefined;
  },
};

export const COMPLETED_STAYS: Invariant = {
  name: 'what completed stays',
  says: 'An operation that ends completed leaves exactly what its last stage wrote.',
  broken: (truth) => {
    for (const operation of ended(truth)) {
      const { outcome, foreign, opId, writes } = operation;
      const forward = writes.findLast(({ by }) => by.kind === 'person');
      if (outcome?.kind !== 'completed' || foreign.length > 0 || !forward || !truth.route) continue;
      const share = shareOf(weightsOf(truth.route as Route));
      if (Math.abs(share - forward.to) > 1e-9) return `${opId} completed at ${forward.to}, and ${share} is in force`;
    }
    return undefined;
  },
};

export const NO_WRITE_TWICE: Invariant = {
  name: 'no write twice',
  says: 'A stage is written once, and never again after it was taken back.',
  broken: (truth) => {
    for (const { writes, opId } of truth.operations) {
      const tokens = writes
        .filter(({ by }) => by.kind === 'person')
        .map(({ after }) => after?.metadata.annotations?.['meshops.dev/operation']);
      const twice = tokens.find((token, index) => tokens.indexOf(token) !== index && token !== undefined && !token.endsWith('/0'));
      if (twice) return `${opId} wrote the stage of ${twice} twice`;
    }
    return undefined;
  },
};

export const ACCEPTED_ABORT_ENDS_ABORTED: Invariant = {
  name: 'an accepted abort ends aborted',
  says: 'Whoever is told that an operation is being stopped never sees it complete, nor end as if a step of its own had failed.',
  broken: (truth) => {
    for (const { aborts, outcome, opId } of truth.operations) {
      if (aborts.length > 0 && outcome?.kind === 'completed') return `${opId} was to be stopped by ${aborts[0]?.by}, and completed`;
      const stopped = aborts.find(({ phase }) => phase !== 'restoring' && phase !== 'planning');
      if (stopped && outcome?.code === 'Failed') return `${opId} was to be stopped by ${stopped.by}, and ended: ${outcome.words}`;
    }
    return undefined;
  },
};

const NOT_TO_BLAME = /^(slack:|database:|prometheus:|a worker was killed)/;

export const NOTHING_UNDONE_FOR_WANT_OF_A_RECORD: Invariant = {
  name: 'nothing healthy is undone because a helper is away',
  says: 'No outage of the database, Slack or Prometheus, and no death of one worker, ends an operation: it holds.',
  broken: (truth) => {
    for (const { outcome, wasWritten, outages, foreign, opId } of truth.operations) {
      // Somebody has ended the run by hand: that is what is to blame.
      if (outcome?.kind !== 'failed' || outcome.code === 'RunLost' || !wasWritten || foreign.length > 0 || outages.size === 0) continue;
      if ([...outages].every((one) => NOT_TO_BLAME.test(one)))
        return `${opId} was undone, and all that was wrong was ${[...outages].join(', ')}: ${outcome.words}`;
    }
    return undefined;
  },
};

export const EVERY_OPERATION_ENDS: Invariant = {
  name: 'every operation ends',
  says: 'When the world is well again every operation comes to an end.',
  broken: (truth, atEnd) => {
    const open = atEnd ? truth.operations.find(({ run }) => run.isOpen) : undefined;
    return open && `${open.opId} still runs (${open.view?.phase})`;
  },
};
