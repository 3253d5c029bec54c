import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_POLICY_BYTES } from './read.ts';

/** A folder with more files than this is more likely a mistake than a folder of policies. */
const MOST_FILES = 10_000;
const POLICY_FILE = /\.(ya?ml|json)$/i;
/** What a folder holds besides policies (charts, values) is nobody's mistake. */
const MENTIONS_CILIUM = /cilium\.io\/|Cilium\w*Polic/;

export interface GivenText {
  /** As it was given, or found below a folder that was given. */
  readonly file: string;
  readonly text: string;
}

export interface GivenTexts {
  readonly texts: readonly GivenText[];
  readonly unreadable: readonly { readonly file: string; readonly words: string }[];
}

/**
 * The texts behind names of files and folders; `-` is stdin. Folders are walked for YAML and JSON that mentions Cilium, links and
 * hidden entries left out. Never more than 256 KiB and a byte of a file is kept: enough to see that it is too large.
 */
export async function readGiven(names: readonly string[], stdin: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<GivenTexts> {
  const texts: GivenText[] = [];
  const unreadable: { file: string; words: string }[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    try {
      if (name === '-') texts.push({ file: name, text: await readBounded(stdin, signal) });
      else if ((await stat(name)).isDirectory()) texts.push(...(await readFolder(name, signal)));
      else texts.push({ file: name, text: await readOne(name) });
    } catch (error) {
      signal.throwIfAborted();
      unreadable.push({ file: name, words: `It cannot be read: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  return { texts, unreadable };
}

async function readFolder(folder: string, signal: AbortSignal): Promise<readonly GivenText[]> {
  const files = await filesBelow(folder, signal);
  const texts: GivenText[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const text = await readOne(file);
    if (MENTIONS_CILIUM.test(text)) texts.push({ file, text });
  }
  return texts;
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
      else if (entry.isFile() && POLICY_FILE.test(entry.name)) found.push(path);
    }
    if (found.length > MOST_FILES) throw new Error(`there are more than ${MOST_FILES} files; name a smaller folder`);
  }
  return found.toSorted();
}

async function readOne(file: string): Promise<string> {
  const handle: FileHandle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(MAX_POLICY_BYTES + 1);
    let size = 0;
    for (let read = -1; read !== 0 && size < buffer.length; size += read) {
      ({ bytesRead: read } = await handle.read(buffer, size, buffer.length - size, size));
    }
    return buffer.toString('utf8', 0, size);
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
    for (let size = 0; size <= MAX_POLICY_BYTES; ) {
      const next = await Promise.race([input.next(), stopped.promise]);
      if (next.done) break;
      chunks.push(next.value);
      size += next.value.length;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks).toString('utf8');
}
