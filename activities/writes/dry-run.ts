import type { CallOptions, Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure, type FailureReason } from '../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanResult } from '../../src/domain/lifecycle/contract.ts';
import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import { type Fields, objectKey, type PlannedStage, tokenOf, type Write } from '../../src/domain/lifecycle/plan.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { AT_ONCE, inParallel } from '../../src/fan-out.ts';
import { guardedPatch, isBare, tokenIn } from './guarded-patch.ts';
import { withFields, withToken } from './manifest.ts';

type Impossible = Extract<PlanResult, { kind: 'impossible' }>;

/**
 * Tries every stage's writes under the requester with `dryRun=All` and strict fields, so that admission and validation speak
 * before anybody is asked. Stage n is tried from what is live now; what the operation will make, as the whole object that it is at that
 * stage. Undefined when all would be taken.
 */
export async function dryRunStages(
  cluster: Cluster,
  live: readonly KubeObject[],
  stages: readonly PlannedStage[],
  { requester }: OperationRequest,
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const as = requester.kubernetes;
  const tries = triesOf(live, stages);
  const results = await inParallel(tries, AT_ONCE, async ({ write, action, run }): Promise<Impossible | undefined> => {
    try {
      await run(cluster, { signal, as, dryRun: true });
      return undefined;
    } catch (error) {
      if (!(error instanceof ClusterFailure)) throw error;
      if (!REFUSALS.includes(error.reason)) {
        const what = `dry-run of ${objectKey(write.object)}, one of ${tries.length}`;
        throw new ClusterFailure(error.reason, `${what}: ${error.message}`, { cause: error });
      }
      return refused({ reason: error.reason, message: error.message }, { write, action }, as?.user ?? 'meshops');
    }
  });
  return results.find((result) => result !== undefined);
}

/** What the server says to the write itself; anything else says that it could not be asked. */
const REFUSALS: readonly FailureReason[] = ['Forbidden', 'Invalid', 'BadRequest', 'Conflict', 'NotFound', 'AlreadyExists'];

interface Try {
  readonly write: Write;
  readonly action: string;
  readonly run: (cluster: Cluster, options: CallOptions & { readonly dryRun: true }) => Promise<unknown>;
}

function triesOf(live: readonly KubeObject[], stages: readonly PlannedStage[]): readonly Try[] {
  const objects = new Map(live.map((object) => [object.metadata.uid, object]));
  const befores = new Map<string, Fields>();
  const made = new Map<string, JsonObject>();
  return stages.flatMap(({ number, writes }) =>
    writes.flatMap((write): readonly Try[] => {
      const key = objectKey(write.object);
      if (write.manifest) made.set(key, withToken(write.manifest, tokenOf('dry-run', number)));
      const manifest = made.get(key);
      const object = objects.get(write.uid);
      if (write.kind === 'delete' || write.kind === 'replace') {
        const run: Try['run'] = (cluster, options) => cluster.remove(write.object, (object as KubeObject).metadata, options);
        return object ? [{ write, action: 'delete', run }] : [];
      }
      if (manifest) {
        const whole = withFields(manifest, write.after);
        made.set(key, whole);
        return [{ write, action: 'create', run: (cluster, options) => cluster.create(whole, write.object, options) }];
      }
      // Only what is live today can be tested: fields as the first stage that names them finds them.
      const before = { ...write.before, ...befores.get(key) };
      befores.set(key, before);
      const from = Object.fromEntries(Object.keys(write.after).map((field) => [field, before[field] ?? null]));
      if (!object) return [];
      return [
        { write, action: 'patch', run: (cluster, options) => cluster.patch(write.object, patchOf(object, from, write, number), options) },
      ];
    }),
  );
}

function patchOf(object: KubeObject, from: Fields, write: Write, stage: number) {
  return guardedPatch({
    uid: write.uid,
    // The name of the operation does not matter to a dry run, only that a token of this length is taken.
    token: { from: tokenIn(object), to: tokenOf('dry-run', stage) },
    from,
    to: write.after,
    bare: isBare(object),
  });
}

function refused(
  { reason, message }: { readonly reason: string; readonly message: string },
  { write, action }: Pick<Try, 'write' | 'action'>,
  who: string,
): Impossible {
  const { object } = write;
  const name = `${object.kind} ${object.namespace}/${object.name}`;
  if (reason === 'Forbidden') {
    return { kind: 'impossible', code: 'Forbidden', words: sentence('Forbidden', { who, what: `${action} ${name} (${message})` }) };
  }
  const words = `The cluster would not take the new ${name}: ${message}. Nothing was changed. Look at the object, then run the command again.`;
  return { kind: 'impossible', code: 'DryRunRefused', words };
}
