import type { KubeObject, PatchOp } from '../../src/clients/kubernetes/objects.ts';
import { canonicalJson, type Json } from '../../src/domain/json.ts';
import { type Fields, TOKEN_ANNOTATION } from '../../src/domain/lifecycle/plan.ts';
import { pointerOf } from '../../src/domain/lifecycle/pointer.ts';

export const TOKEN_POINTER = pointerOf(['metadata', 'annotations', TOKEN_ANNOTATION]);

/** What must be so for a write to happen, and what it does; all of it is one patch, so the apiserver decides at once. */
interface GuardedWrite {
  readonly uid: string;
  /** Tested when given: metadata.generation rises with every change of spec. */
  readonly generation?: number;
  /** The token that must be there, and the one that is then; null = none. */
  readonly token: { readonly from: string | null; readonly to: string | null };
  /** Values that must be there. */
  readonly from: Fields;
  /** Values that are there then. */
  readonly to: Fields;
  /** The object has no annotations at all: a test below a missing map would fail. */
  readonly bare?: boolean;
}

/** JSON patch (RFC 6902) whose tests make the apiserver refuse the whole of it when anything is not as expected. */
export function guardedPatch(write: GuardedWrite): readonly PatchOp[] {
  const tests: PatchOp[] = [{ op: 'test', path: '/metadata/uid', value: write.uid }];
  if (write.generation !== undefined) tests.push({ op: 'test', path: '/metadata/generation', value: write.generation });
  for (const [path, value] of Object.entries(write.from)) tests.push({ op: 'test', path, value });
  const changes = Object.entries(write.to).flatMap(([path, value]) => change(path, write.from[path] ?? null, value));
  return [...tests, ...tokenOps(write), ...changes];
}

function tokenOps({ token, bare }: GuardedWrite): readonly PatchOp[] {
  if (bare && token.from === null) {
    const map: PatchOp = { op: 'test', path: '/metadata/annotations', value: null };
    return token.to === null ? [map] : [map, { op: 'add', path: '/metadata/annotations', value: { [TOKEN_ANNOTATION]: token.to } }];
  }
  return [{ op: 'test', path: TOKEN_POINTER, value: token.from }, ...change(TOKEN_POINTER, token.from, token.to)];
}

/** `add` inserts into a list, `replace` needs something there: which one is right depends on what was there. */
function change(path: string, from: Json, to: Json): readonly PatchOp[] {
  if (canonicalJson(from) === canonicalJson(to)) return [];
  if (to === null) return [{ op: 'remove', path }];
  return [{ op: from === null ? 'add' : 'replace', path, value: to }];
}

/** The token on an object; null when it carries none. */
export function tokenIn(object: { readonly metadata: Pick<KubeObject['metadata'], 'annotations'> }): string | null {
  return object.metadata.annotations?.[TOKEN_ANNOTATION] ?? null;
}

/** Has the object no annotations map? */
export function isBare(object: KubeObject): boolean {
  return object.metadata.annotations === undefined;
}
