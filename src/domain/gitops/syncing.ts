import * as z from 'zod';
import type { ObjectRef } from '../lifecycle/plan.ts';
import { type GitOpsSource, type Marks, sourceName } from './source.ts';

/** What a GitOps tool does with fields that differ from Git: it leaves them, or writes them back at some time. In words for people. */
export type Syncing = { readonly leaves: string } | { readonly writes: string };

/** An object whose fields are changed beside Git. `pointers`: those that a plan writes. */
export interface Changed {
  readonly ref: ObjectRef;
  readonly metadata: Marks;
  readonly pointers: readonly string[];
}

const Ignore = z.object({
  group: z.string().optional(),
  kind: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().optional(),
  jsonPointers: z.array(z.string()).optional(),
  jqPathExpressions: z.array(z.string()).optional(),
  managedFieldsManagers: z.array(z.string()).optional(),
});
const Application = z.object({
  spec: z.object({
    ignoreDifferences: z.array(Ignore).optional(),
    syncPolicy: z
      .object({
        automated: z.object({ enabled: z.boolean().optional(), selfHeal: z.boolean().optional() }).nullish(),
        syncOptions: z.array(z.string()).optional(),
      })
      .optional(),
  }),
});
const Fluxed = z.object({
  spec: z.object({
    suspend: z.boolean().optional(),
    interval: z.string().optional(),
    driftDetection: z.object({ mode: z.string().optional() }).optional(),
  }),
});

/** When the tool writes Git's values back. `live`: its own object, undefined where it may not be read or is unknown. */
export function syncingOf(source: GitOpsSource, changed: Changed, live: unknown): Syncing {
  const own = leftAlone(source, changed);
  if (own !== undefined) return { leaves: own };
  return source.kind === 'Application' ? ofApplication(changed, live) : ofFlux(source, live);
}

function ofApplication(changed: Changed, live: unknown): Syncing {
  const read = Application.safeParse(live);
  if (!read.success) return { writes: 'at its next sync, within seconds if it heals itself' };
  const { ignoreDifferences = [], syncPolicy: { automated, syncOptions = [] } = {} } = read.data.spec;
  const ignores = ignoreDifferences.some((rule) => covers(rule, changed));
  if (ignores && syncOptions.includes('RespectIgnoreDifferences=true')) return { leaves: 'ignores these fields' };
  const isAutomatic = automated != null && automated.enabled !== false;
  if (ignores) return { writes: 'at its next sync: it ignores the difference, but RespectIgnoreDifferences=true is missing' };
  if (isAutomatic && automated.selfHeal === true) return { writes: 'within seconds, since it heals itself' };
  return { writes: isAutomatic ? 'at its next sync, which a commit begins' : 'when somebody syncs it' };
}

/** Does a rule of `ignoreDifferences` speak of these fields? A jq expression is not evaluated: the words that it must hold are looked for. */
function covers(rule: z.infer<typeof Ignore>, { ref, pointers }: Changed): boolean {
  const group = ref.apiVersion.includes('/') ? ref.apiVersion.slice(0, ref.apiVersion.indexOf('/')) : '';
  const is = (pattern: string | undefined, value: string): boolean => pattern === undefined || pattern === '*' || pattern === value;
  if (!is(rule.group, group) || !is(rule.kind, ref.kind) || !is(rule.name, ref.name) || !is(rule.namespace, ref.namespace)) return false;
  if (rule.managedFieldsManagers?.includes('meshops')) return true;
  const jq = (rule.jqPathExpressions ?? []).map((path) => path.replaceAll('?', ''));
  return pointers.every(
    (pointer) =>
      (rule.jsonPointers ?? []).some((path) => pointer === path || pointer.startsWith(`${path}/`)) ||
      jq.some((path) => path === pathOf(pointer) || pathOf(pointer).startsWith(`${path}.`) || pathOf(pointer).startsWith(`${path}[`)),
  );
}

/** `/spec/rules/0/backendRefs/1/weight` as `.spec.rules[].backendRefs[].weight`. */
export function pathOf(pointer: string): string {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => (/^\d+$/.test(step) ? '[]' : `.${step}`)).join('');
}

function ofFlux({ kind }: GitOpsSource, live: unknown): Syncing {
  const read = Fluxed.safeParse(live);
  if (!read.success) return { writes: kind === 'HelmRelease' ? 'at its next upgrade' : 'at its next reconciliation' };
  const { suspend, interval, driftDetection } = read.data.spec;
  if (suspend === true) return { leaves: 'is suspended' };
  if (kind === 'HelmRelease' && driftDetection?.mode !== 'enabled') return { writes: 'at its next upgrade' };
  return { writes: `at its next reconciliation${interval === undefined ? '' : `, ${interval} apart`}` };
}

/** Annotations by which Flux leaves an object alone. */
function leftAlone({ tool }: GitOpsSource, { metadata: { annotations = {} } }: Changed): string | undefined {
  if (tool !== 'Flux') return undefined;
  const [reconcile, ssa] = [annotations['kustomize.toolkit.fluxcd.io/reconcile'], annotations['kustomize.toolkit.fluxcd.io/ssa']];
  if (reconcile === 'disabled') return 'does not reconcile this object';
  return ssa?.toLowerCase() === 'ifnotpresent' || ssa?.toLowerCase() === 'ignore' ? 'has only created this object' : undefined;
}

/** One sentence for the plan: who would put it back, and when. */
export function syncingWords(source: GitOpsSource, { ref }: Changed, syncing: Syncing): string {
  const who = `${sourceName(source)} applies ${ref.namespace}/${ref.name}`;
  if ('leaves' in syncing) return `${who}, but ${syncing.leaves}: it leaves this change alone.`;
  return `${who} and would write Git's values back ${syncing.writes}. The file in the thread says how it leaves them alone.`;
}
