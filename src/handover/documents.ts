import { type Document, parseAllDocuments, stringify } from 'yaml';
import type { JsonObject } from '../domain/json.ts';
import { type Fields, type ObjectRef, objectKey } from '../domain/lifecycle/plan.ts';
import { editsOf, OtherShape } from './reconcile.ts';
import { NotInPlace, spliced } from './splice.ts';

/** A file of the repository. */
export interface GitFile {
  readonly path: string;
  readonly text: string;
}

/** What an operation left of one object. */
export interface Handed {
  readonly ref: ObjectRef;
  /** Live values of the managed fields before the operation; empty for an object that it made. */
  readonly before: Fields;
  readonly after: Fields;
  readonly isDeleted: boolean;
  /** The operation made it, so Git need not have it yet. */
  readonly isNew?: boolean;
  /** The whole object as it is now, without what the server adds. */
  readonly manifest?: JsonObject;
}

/** One file as it is and as it should be; `null`: not there. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface Comparison {
  /** Empty: Git agrees. */
  readonly changes: readonly FileChange[];
  /** Objects that Git has in another way, or not at all, in words. */
  readonly problems: readonly string[];
}

interface Place {
  readonly file: GitFile;
  readonly documents: readonly Document[];
  readonly index: number;
}

/** Compares what an operation left with the manifests of a folder, and edits them so that they agree: comments and everything else stay. */
export function compare(files: readonly GitFile[], folder: string, handed: readonly Handed[]): Comparison {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const problems: string[] = [];
  for (const one of handed) {
    const now = [...texts].map(([path, text]) => ({ path, text }));
    try {
      for (const [path, text] of edited(now, folder, one)) {
        if (text === null) texts.delete(path);
        else texts.set(path, text);
      }
    } catch (error) {
      if (!(error instanceof OtherShape)) throw error;
      problems.push(`${objectKey(one.ref)}: ${error.message}`);
    }
  }
  const before = new Map(files.map(({ path, text }) => [path, text]));
  const paths = [...new Set([...before.keys(), ...texts.keys()])].toSorted();
  const changes = paths
    .map((path) => ({ path, before: before.get(path) ?? null, after: texts.get(path) ?? null }))
    .filter((change) => change.before !== change.after);
  return { changes, problems };
}

type Edited = readonly (readonly [path: string, text: string | null])[];

function edited(files: readonly GitFile[], folder: string, handed: Handed): Edited {
  const place = placeOf(files, handed.ref);
  if (!place) {
    if (handed.isDeleted) return [];
    if (!handed.isNew || !handed.manifest)
      throw new OtherShape(`no manifest of it was found under ${folder || 'the root'} (templates and patches are not read)`);
    return added(files, folder, handed.ref, handed.manifest);
  }
  if (handed.isDeleted) return removed(files, place);
  return [[place.file.path, changed(place, handed)]];
}

function changed({ file, documents, index }: Place, { before, after }: Handed): string {
  const document = documents[index] as Document;
  try {
    const text = spliced(file.text, editsOf(file.text, document, before, after));
    const again = parseAllDocuments(text)[index];
    // What was edited in place must say what is meant; it is written anew otherwise.
    if (again && again.errors.length === 0 && editsOf(text, again, before, after).length === 0) return text;
  } catch (error) {
    if (!(error instanceof NotInPlace)) throw error;
  }
  const [start, , end] = placeIn(document);
  for (const [pointer, value] of Object.entries(after)) {
    const path = pointer.split('/').slice(1).map(stepOf);
    if (value === null) document.deleteIn(path);
    else document.setIn(path, value);
  }
  const body = document.toString({ lineWidth: 0 }).replace(/^---\n/, '');
  return `${file.text.slice(0, start)}${body}${file.text.slice(end)}`;
}

function stepOf(step: string): string | number {
  const text = step.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Where the object is: by kind, name and namespace; a manifest without a namespace gets it elsewhere, and counts if it is the only one. */
function placeOf(files: readonly GitFile[], { apiVersion, kind, name, namespace }: ObjectRef): Place | undefined {
  const group = apiVersion.split('/')[0] ?? '';
  const exact: Place[] = [];
  const open: Place[] = [];
  for (const file of files) {
    // Parsing is dear: most files do not even name it.
    if (!file.text.includes(kind) || !file.text.includes(name)) continue;
    const documents = parseAllDocuments(file.text);
    for (const [index, document] of documents.entries()) {
      if (document.errors.length > 0) continue;
      const at = (...path: string[]): unknown => document.getIn(path);
      if (at('kind') !== kind || at('metadata', 'name') !== name || !String(at('apiVersion')).startsWith(group)) continue;
      const place = { file, documents, index };
      if (at('metadata', 'namespace') === namespace) exact.push(place);
      else if (at('metadata', 'namespace') === undefined) open.push(place);
    }
  }
  const found = exact.length > 0 ? exact : open;
  if (found.length > 1) throw new OtherShape(`more than one manifest could be it: ${found.map(({ file }) => file.path).join(', ')}`);
  return found[0];
}

function removed(files: readonly GitFile[], { file, documents, index }: Place): Edited {
  if (documents.length === 1) return [[file.path, null], ...unlisted(files, file.path)];
  const [start, , end] = placeIn(documents[index] as Document);
  const cut = `${file.text.slice(0, start)}${file.text.slice(end)}`;
  return [[file.path, cut.replace(/^(---\n)+/, '').replace(/\n---\n+(?=---\n|$)/g, '\n')]];
}

function added(files: readonly GitFile[], folder: string, ref: ObjectRef, manifest: JsonObject): Edited {
  const name = `${ref.kind.toLowerCase()}-${ref.name}.yaml`;
  const path = folder === '' ? name : `${folder}/${name}`;
  if (files.some((file) => file.path === path)) throw new OtherShape(`${path} is there and holds something else`);
  return [[path, stringify(manifest, { lineWidth: 0 })], ...listed(files, folder, name)];
}

/** A new file is named in the folder's kustomization, where there is one with a list of resources. */
function listed(files: readonly GitFile[], folder: string, name: string): Edited {
  const file = kustomizationOf(files, folder);
  const document = file && parseAllDocuments(file.text)[0];
  const resources: unknown = document?.get('resources');
  const list = (document?.toJS() as { resources?: unknown } | undefined)?.resources;
  if (!file || !document || resources === undefined || !Array.isArray(list)) return [];
  return [[file.path, spliced(file.text, editsOf(file.text, document, { '/resources': list }, { '/resources': [...list, name] }))]];
}

function unlisted(files: readonly GitFile[], path: string): Edited {
  const folder = path.split('/').slice(0, -1).join('/');
  const file = kustomizationOf(files, folder);
  const document = file && parseAllDocuments(file.text)[0];
  const list = (document?.toJS() as { resources?: unknown } | undefined)?.resources;
  const name = path.slice(folder === '' ? 0 : folder.length + 1);
  if (!file || !document || !Array.isArray(list) || !list.includes(name)) return [];
  const rest = (list as string[]).filter((one) => one !== name && one !== `./${name}`);
  return [[file.path, spliced(file.text, editsOf(file.text, document, { '/resources': list }, { '/resources': rest }))]];
}

function kustomizationOf(files: readonly GitFile[], folder: string): GitFile | undefined {
  const root = folder === '' ? '' : `${folder}/`;
  return files.find(({ path }) => [`${root}kustomization.yaml`, `${root}kustomization.yml`].includes(path));
}

function placeIn({ range }: Document): readonly [number, number, number] {
  if (!range) throw new OtherShape('a document without a place in its file');
  return range;
}
