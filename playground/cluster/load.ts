import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Api } from './api.ts';
import { StackFailure } from './failure.ts';
import { until } from './waiting.ts';

const PATHS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
};

const Manifest = z.object({ kind: z.string(), metadata: z.object({ name: z.string() }) });

const Definitions = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      // null until its controller has seen it.
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() }).nullish(),
    }),
  ),
});

// Only for what hangs: seconds, but a machine with other work takes ten times as long.
const ESTABLISHED_WITHIN_MS = 120_000;

/** The documents of a YAML file as text: applied as they came, so that nothing is lost in reading and writing them. */
function documents(text: string): readonly string[] {
  return text
    .split(/^---\s*$/m)
    .filter((part) => parse(part) !== null)
    .map((part) => part.trim());
}

async function applyOne(api: Api, text: string, signal: AbortSignal): Promise<string> {
  const { kind, metadata } = Manifest.parse(parse(text));
  const base = PATHS[kind];
  if (base === undefined) throw new StackFailure('refused', `${kind} ${metadata.name} is not a kind that the playground loads.`);
  const path = `${base}/${metadata.name}?fieldManager=playground&force=true`;
  const answer = await api({ method: 'PATCH', path, body: text, contentType: 'application/apply-patch+yaml', signal });
  if (answer.status >= 300)
    throw new StackFailure('refused', `The API server refused ${kind} ${metadata.name} (${answer.status}): ${answer.body.slice(0, 500)}`);
  return `${kind}/${metadata.name}`;
}

async function established(api: Api, names: ReadonlySet<string>, signal: AbortSignal): Promise<boolean> {
  const answer = await api({ method: 'GET', path: PATHS['CustomResourceDefinition'] ?? '', signal });
  if (answer.status !== 200) return false;
  const ready = Definitions.parse(JSON.parse(answer.body)).items.filter((definition) =>
    definition.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True'),
  );
  const readyNames = new Set(ready.map((definition) => `CustomResourceDefinition/${definition.metadata.name}`));
  return [...names].filter((name) => name.startsWith('CustomResourceDefinition/')).every((name) => readyNames.has(name));
}

/**
 * Applies the CRDs (and what guards them) of some folders server-side and waits until all are established.
 * @returns how many objects
 * @throws StackFailure `refused` with the API server's answer, `not-ready`
 */
export async function loadCrds(api: Api, folders: readonly string[], signal: AbortSignal): Promise<number> {
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const texts = files.filter((file) => file.endsWith('.yaml')).flatMap((file) => documents(readFileSync(file, 'utf8')));
  const names = new Set(await Promise.all(texts.map((text) => applyOne(api, text, signal))));
  await until((either) => established(api, names, either), { what: 'The CRDs', withinMs: ESTABLISHED_WITHIN_MS, everyMs: 100, signal });
  return names.size;
}
