import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { encodingOf } from './flows/decompress.ts';
import { OWN_FILES } from './read.ts';

/** A folder with more files than this is more likely a mistake than a folder of policies. */
const MOST_FILES = 10_000;
const POLICY_FILE = /\.(ya?ml|json)$/i;
/** What a folder holds besides policies (charts, values) is nobody's mistake. A kustomization says which files are patches. */
const MENTIONS_POLICIES = /cilium\.io\/|NetworkPolic|Cilium\w*Polic|kustomize\.config\.k8s\.io/;

interface GivenText {
  /** As it was given, or found below a folder that was given. */
  readonly file: string;
  readonly text: string;
}

interface GivenTexts {
  readonly texts: readonly GivenText[];
  readonly unreadable: readonly Unreadable[];
  /** Files of folders that say nothing of policies. */
  readonly passed: number;
}

interface Unreadable {
  readonly file: string;
  readonly words: string;
}

/**
 * The texts behind names of files and folders; `-` is stdin. Folders are walked for YAML and JSON that mentions policies, links to folders and
 * hidden entries left out. UTF-8, or UTF-16 by its mark. Never more than 16 MiB and a byte of a file is kept: enough to see that it is too large.
 */
export async function readGiven(names: readonly string[], stdin: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<GivenTexts> {
  const given = { texts: [] as GivenText[], unreadable: [] as Unreadable[], passed: 0 };
  const attempt = async (file: string, read: () => Promise<void>): Promise<void> => {
    signal.throwIfAborted();
    try {
      await read();
    } catch (error) {
      signal.throwIfAborted();
      given.unreadable.push({ file, words: `It cannot be read: ${error instanceof Error ? error.message : String(error)}` });
    }
  };
  for (const name of names) {
    await attempt(name, async () => {
      if (name === '-') given.texts.push({ file: name, text: await readBounded(stdin, signal) });
      else if (!(await stat(name)).isDirectory()) given.texts.push({ file: name, text: await readOne(name, signal) });
      else {
        for (const file of await filesBelow(name, signal)) {
          await attempt(file, async () => {
            const text = await readOne(file, signal);
            if (MENTIONS_POLICIES.test(text)) given.texts.push({ file, text });
            else given.passed += 1;
          });
        }
      }
    });
  }
  return given;
}

async function filesBelow(folder: string, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  const open: string[] = [folder];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    signal.throwIfAborted();
    for (const entry of await readdir(next, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(next, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (POLICY_FILE.test(entry.name) && (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path))))) found.push(path);
    }
    if (found.length > MOST_FILES) throw new Error(`there are more than ${MOST_FILES} files; name a smaller folder`);
  }
  return found.toSorted();
}

/** Behind a link: a mounted ConfigMap has nothing but links. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path)).isFile();
}

async function readOne(file: string, signal: AbortSignal): Promise<string> {
  const handle: FileHandle = await open(file, 'r');
  try {
    const about = await handle.stat();
    // A pipe has no size.
    if (!about.isFile()) return await readBounded(handle.createReadStream(), signal);
    const buffer = Buffer.alloc(Math.min(about.size, OWN_FILES.bytes) + 1);
    let size = 0;
    for (let read = -1; read !== 0 && size < buffer.length; size += read) {
      ({ bytesRead: read } = await handle.read(buffer, size, buffer.length - size, size));
    }
    return decoded(buffer.subarray(0, size));
  } finally {
    await handle.close();
  }
}

/** A terminal may never end its input, so the signal ends it. */
async function readBounded(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string> {
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  const stop = (): void => stopped.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const input = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  try {
    for (let size = 0; size <= OWN_FILES.bytes; ) {
      const next = await Promise.race([input.next(), stopped.promise]);
      if (next.done) break;
      chunks.push(next.value);
      size += next.value.length;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return decoded(Buffer.concat(chunks));
}

/** Without a byte order mark, which is no part of YAML or JSON. */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}
