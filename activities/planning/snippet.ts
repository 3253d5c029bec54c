import { stringify } from 'yaml';
import type { GitOpsSource } from '../../src/domain/gitops/source.ts';
import { type Changed, pathOf } from '../../src/domain/gitops/syncing.ts';

/** What has to be written where, so that the tool leaves these fields alone: to be pasted as it is. */
export function snippetOf(source: GitOpsSource, changed: Changed): string {
  if (source.kind === 'Application') return forApplication(source, changed);
  return source.kind === 'Kustomization' ? forKustomization(source, changed) : forHelmRelease(source, changed);
}

/** The same in one sentence, for a refusal. */
export function briefOf(source: GitOpsSource, { ref, pointers }: Changed): string {
  const { kind, name = '<name>', namespace = kind === 'Application' ? 'argocd' : 'flux-system' } = source;
  if (kind !== 'Application') return `Suspend it first: \`flux suspend ${kind.toLowerCase()} ${name} -n ${namespace}\``;
  const paths = isWeights(pointers) ? `jqPathExpressions: ['${WEIGHTS}']` : `jsonPointers: [${roots(pointers).join(', ')}]`;
  const rule = `{group: ${groupOf(ref.apiVersion)}, kind: ${ref.kind}, name: ${ref.name}, ${paths}}`;
  return `Give Application ${namespace}/${name} the ignoreDifferences \`${rule}\` and the sync option \`RespectIgnoreDifferences=true\``;
}

/** Rules and backends may be left out of a route, so the path must bear that. */
const WEIGHTS = '.spec.rules[]?.backendRefs[]?.weight';

function forApplication({ name, namespace }: GitOpsSource, { ref, pointers }: Changed): string {
  const rule = {
    group: groupOf(ref.apiVersion),
    kind: ref.kind,
    namespace: ref.namespace,
    name: ref.name,
    ...(isWeights(pointers) ? { jqPathExpressions: [WEIGHTS] } : { jsonPointers: roots(pointers) }),
  };
  return [
    `# Argo CD: merge this into the Application${name === undefined ? '' : ` ${namespace ?? 'argocd'}/${name}`}.`,
    '# Without RespectIgnoreDifferences a sync writes the fields all the same.',
    stringify({ spec: { ignoreDifferences: [rule], syncPolicy: { syncOptions: ['RespectIgnoreDifferences=true'] } } }).trimEnd(),
  ].join('\n');
}

function forKustomization({ name = '<name>', namespace = 'flux-system' }: GitOpsSource, { ref }: Changed): string {
  return [
    '# Flux, one of these. Everything of this Kustomization is suspended:',
    `flux suspend kustomization ${name} -n ${namespace}`,
    `flux resume kustomization ${name} -n ${namespace}     # when Git has the new values`,
    '# Or this object alone (take the annotation off with a - at its end instead of =disabled):',
    `kubectl annotate ${resourceOf(ref.apiVersion, ref.kind)} ${ref.name} -n ${ref.namespace} kustomize.toolkit.fluxcd.io/reconcile=disabled`,
    '# Or for good, in Git: Flux creates the object and then leaves it alone.',
    stringify({ metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } } }).trimEnd(),
  ].join('\n');
}

function forHelmRelease({ name = '<name>', namespace = 'flux-system' }: GitOpsSource, { ref, pointers }: Changed): string {
  const rule = { paths: isWeights(pointers) ? pointers : roots(pointers), target: { kind: ref.kind, name: ref.name } };
  return [
    '# Flux, one of these. The whole release is suspended:',
    `flux suspend helmrelease ${name} -n ${namespace}`,
    `flux resume helmrelease ${name} -n ${namespace}     # when Git has the new values`,
    '# Or these fields are no drift; an upgrade that changes them in the chart writes them all the same.',
    stringify({ spec: { driftDetection: { ignore: [rule] } } }).trimEnd(),
  ].join('\n');
}

/** Weights alone, with the names beside them that say whose they are? */
function isWeights(pointers: readonly string[]): boolean {
  return pointers.every((pointer) => /^\.spec\.rules\[\]\.backendRefs\[\]\.weight$/.test(pathOf(pointer)));
}

/** `/spec/rules` for whatever lies in a list below it: what is inserted moves the rest. */
function roots(pointers: readonly string[]): readonly string[] {
  return [...new Set(pointers.map((pointer) => pointer.replace(/\/(\d+|-)(\/.*)?$/, '')))];
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

function resourceOf(apiVersion: string, kind: string): string {
  const group = groupOf(apiVersion);
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
}
