import type { Cluster, Right } from '../../src/clients/kubernetes/cluster.ts';
import { isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import { type Impossible, refused } from './impossible.ts';

/** A right that a plan needs, and what it lets one do, in words: `patch HTTPRoute shop/web`. */
export interface NeededRight extends Right {
  readonly what: string;
}

/** The person's rights to write forward, and the bot's own to put back: without the second nothing may begin. */
export async function checkRights(
  cluster: Pick<Cluster, 'mayI'>,
  { requester }: OperationRequest,
  { forward, back }: { readonly forward: readonly NeededRight[]; readonly back: readonly NeededRight[] },
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const as = requester.kubernetes;
  if (!as) return refused('NoIdentity', { email: requester.id });
  const lacking = async (rights: readonly NeededRight[], options: Parameters<Cluster['mayI']>[1]): Promise<string | undefined> => {
    const answers = await Promise.all(rights.map(({ what: _what, ...right }) => cluster.mayI(right, options)));
    return rights.find((_, index) => answers[index]?.allowed !== true)?.what;
  };
  try {
    const [person, bot] = await Promise.all([lacking(forward, { signal, as }), lacking(back, { signal })]);
    if (person !== undefined) return refused('Forbidden', { who: as.user, what: person });
    if (bot !== undefined) return refused('Forbidden', { who: 'meshops itself', what: `${bot}, so it could not undo the change` });
    return undefined;
  } catch (error) {
    if (!isFailure(error, 'Forbidden')) throw error;
    return refused('Forbidden', { who: 'meshops', what: `act as ${as.user} (${error.message})` });
  }
}
