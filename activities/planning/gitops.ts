import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { type KubeObject, refOf } from '../../src/clients/kubernetes/objects.ts';
import { type GitOpsSource, gitOpsSource, sourceName } from '../../src/domain/gitops/source.ts';
import { type Changed, type Syncing, syncingOf, syncingWords } from '../../src/domain/gitops/syncing.ts';
import { canonicalJson } from '../../src/domain/json.ts';
import type { PlanResult } from '../../src/domain/lifecycle/contract.ts';
import type { OperationRequest } from '../../src/domain/lifecycle/operation.ts';
import { type Attachment, type ObjectRef, objectKey, type PlannedStage } from '../../src/domain/lifecycle/plan.ts';
import { sentence } from '../../src/domain/words/sentences.ts';
import { AT_ONCE, inParallel } from '../../src/fan-out.ts';

import { briefOf, snippetOf } from './snippet.ts';

type Impossible = Extract<PlanResult, { kind: 'impossible' }>;

/** What a plan says about the tools that apply its objects from Git. */
interface GitOpsPart {
  readonly words: readonly string[];
  /** How they leave the change alone: a file for the thread. */
  readonly attachment?: Attachment;
}

/** Where Argo CD keeps its applications unless the mark says otherwise. */
const ARGO_NAMESPACE = 'argocd';
const API_VERSIONS = {
  Application: 'argoproj.io/v1alpha1',
  Kustomization: 'kustomize.toolkit.fluxcd.io/v1',
  HelmRelease: 'helm.toolkit.fluxcd.io/v2',
} as const;
/** Nobody waits long for a sentence: what is not known by then is said as unknown. */
const DEADLINE_MS = 1_000;

/**
 * Which of these objects Argo CD or Flux applies, when they would write Git's values back, and what makes them leave the change alone.
 * Refuses where the configuration says so; never a plan that only takes something back.
 */
export async function checkGitOps(
  { cluster }: { readonly cluster: Pick<Cluster, 'read'> },
  { request, objects, stages, isBack }: Planned,
  signal: AbortSignal,
): Promise<GitOpsPart | Impossible> {
  const changed = objects.flatMap((object) => changedIn(object, stages));
  const found = await inParallel(changed, AT_ONCE, async ({ source, ...one }) => {
    const live = await ownObject(cluster, source, signal);
    return { source, one, syncing: syncingOf(source, one, live) };
  });
  const writing = found.filter(({ syncing }) => 'writes' in syncing);
  const [first] = writing;
  if (first && request.settings.gitops === 'refuse' && !isBack) return refused(first);
  const words = found.map(({ source, one, syncing }) => syncingWords(source, one, syncing));
  if (!first) return { words };
  const texts = new Set(writing.map(({ source, one }) => snippetOf(source, one)));
  const name = `gitops-${request.target.name}.yaml`;
  const comment = `How ${sourceName(first.source)} leaves this change alone. Without it, Git's values come back ${whenOf(first.syncing)}.`;
  return { words, attachment: { name, title: `${first.source.tool} and this change`, comment, text: `${[...texts].join('\n---\n')}\n` } };
}

interface Planned {
  readonly request: OperationRequest;
  readonly objects: readonly KubeObject[];
  readonly stages: readonly PlannedStage[];
  /** Only takes something back: refused by nobody. */
  readonly isBack: boolean;
}

type Found = Changed & { readonly source: GitOpsSource };

function changedIn(object: KubeObject, stages: readonly PlannedStage[]): readonly Found[] {
  const source = gitOpsSource(object.metadata);
  if (!source) return [];
  const ref = refOf(object);
  const writes = stages.flatMap((stage) => stage.writes).filter((write) => objectKey(write.object) === objectKey(ref));
  const pointers = new Set(
    writes.flatMap(({ before, after }) =>
      Object.keys(after).filter((field) => canonicalJson(before[field] ?? null) !== canonicalJson(after[field] ?? null)),
    ),
  );
  return pointers.size === 0 ? [] : [{ ref, metadata: object.metadata, pointers: [...pointers], source }];
}

/** The Application, Kustomization or HelmRelease; undefined where its name is not known or it may not be read. */
async function ownObject(cluster: Pick<Cluster, 'read'>, { kind, name, namespace }: GitOpsSource, signal: AbortSignal): Promise<unknown> {
  const place = namespace ?? (kind === 'Application' ? ARGO_NAMESPACE : undefined);
  if (name === undefined || place === undefined) return undefined;
  const ref: ObjectRef = { apiVersion: API_VERSIONS[kind], kind, namespace: place, name };
  try {
    return await cluster.read(ref, { signal, deadlineMs: DEADLINE_MS });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function refused({
  source,
  one,
  syncing,
}: {
  readonly source: GitOpsSource;
  readonly one: Changed;
  readonly syncing: Syncing;
}): Impossible {
  const parameters = {
    object: `${one.ref.kind} ${one.ref.namespace}/${one.ref.name}`,
    source: sourceName(source),
    when: whenOf(syncing),
    brief: briefOf(source, one),
  };
  return { kind: 'impossible', code: 'GitOps', words: sentence('GitOps', parameters) };
}

function whenOf(syncing: Syncing): string {
  return 'writes' in syncing ? syncing.writes : '';
}
