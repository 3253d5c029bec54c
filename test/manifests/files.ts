// Reads manifests as they are in the repository.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type Manifest = z.infer<typeof Manifest>;

export function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export function textOf(path: string): string {
  return readFileSync(pathOf(path), 'utf8');
}

/** The value of a YAML file with one document, merge keys and anchors followed. */
export function yamlOf(path: string): unknown {
  return parse(textOf(path), { merge: true });
}

/** Every object of a text of several documents, namespaces first. */
export function manifestsIn(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .filter((document) => document.toJS() !== null)
    .map((document) => Manifest.parse(document.toJS()))
    .toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'));
}

/** Every object of a folder, kustomization apart, namespaces first. */
export function manifestsOf(folder: string): readonly Manifest[] {
  const files = readdirSync(pathOf(folder)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  return files
    .flatMap((name) => parseAllDocuments(textOf(`${folder}/${name}`)).map((document) => Manifest.parse(document.toJS())))
    .toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'));
}
