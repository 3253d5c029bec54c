import type { Api } from '../../playground/cluster/api.ts';
import type { Manifest } from './files.ts';

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word.endsWith('y')) return `${word.slice(0, -1)}ies`;
  return word.endsWith('s') ? `${word}es` : `${word}s`;
}

/** Server-side apply; unknown fields are refused. `ok`, or the API server's reason. */
export async function applyTo(
  api: Api,
  manifest: Manifest,
  { signal, dryRun = false }: { readonly signal: AbortSignal; readonly dryRun?: boolean },
): Promise<string> {
  const { apiVersion, kind, metadata } = manifest;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const where = metadata.namespace ? `/namespaces/${metadata.namespace}` : '';
  const query = `fieldManager=manifests&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  const answer = await api({
    method: 'PATCH',
    path: `${root}${where}/${pluralOf(kind)}/${metadata.name}?${query}`,
    body: JSON.stringify(manifest),
    contentType: 'application/apply-patch+yaml',
    signal,
  });
  return answer.status < 300 ? 'ok' : answer.body;
}
