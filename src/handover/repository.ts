import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import git, { type GitHttpRequest, type GitHttpResponse, type HttpClient, type TreeEntry } from 'isomorphic-git';
import { send } from '../net/request.ts';
import type { FileChange, GitFile } from './documents.ts';

/** Where the manifests are, and as whom they are read. */
export interface GitPlace {
  readonly repository: string;
  readonly branch: string;
  /** Without slashes at its ends; empty: everything. */
  readonly folder: string;
  readonly user: string;
  readonly token?: string;
  readonly ca?: string;
}

interface Checkout {
  readonly commit: string;
  /** YAML files of the folder. */
  readonly files: readonly GitFile[];
  /** Commits changes onto what was read, as a branch of its own, and pushes it. */
  readonly push: (branch: string, changes: readonly FileChange[], message: string) => Promise<void>;
}

const MOST_BYTES = 256 * 1024 * 1024;
const MOST_FILE = 1024 * 1024;
const AUTHOR = { name: 'meshops', email: 'meshops@localhost' };

/** Reads the branch's last commit, without history, and gives it to `work`; nothing of it is left afterwards. */
export async function withCheckout<T>(place: GitPlace, signal: AbortSignal, work: (checkout: Checkout) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'meshops-git-'));
  const { repository: url, branch: ref, folder, user, token, ca } = place;
  const http = httpOf(signal, ca);
  let asked = false;
  const onAuth = (): { username?: string; password?: string; cancel?: boolean } => {
    // Asked once more, the token was refused.
    if (token === undefined || asked) return { cancel: true };
    asked = true;
    return { username: user, password: token };
  };
  const common = { fs, dir };
  try {
    await git.clone({ ...common, http, url, ref, singleBranch: true, depth: 1, noCheckout: true, noTags: true, onAuth });
    const commit = await git.resolveRef({ ...common, ref: `refs/remotes/origin/${ref}` });
    const { tree } = (await git.readCommit({ ...common, oid: commit })).commit;
    const files = await readFiles(dir, tree, folder);
    return await work({
      commit,
      files,
      push: async (branch, changes, message) => {
        let root = tree;
        for (const { path, after } of changes) {
          const blob = after === null ? undefined : await git.writeBlob({ ...common, blob: Buffer.from(after) });
          root = (await withFile(dir, root, path.split('/'), blob)) ?? root;
        }
        const oid = await git.commit({ ...common, tree: root, parent: [commit], message, author: AUTHOR, ref: `refs/heads/${branch}` });
        await git.writeRef({ ...common, ref: `refs/heads/${branch}`, value: oid, force: true });
        asked = false;
        const result = await git.push({ ...common, http, url, ref: branch, remoteRef: `refs/heads/${branch}`, force: true, onAuth });
        if (!result.ok) throw new Error(`the branch ${branch} was not taken: ${result.error ?? 'no reason given'}`);
      },
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function readFiles(dir: string, tree: string, folder: string): Promise<readonly GitFile[]> {
  const found: GitFile[] = [];
  const visit = async (oid: string, path: string): Promise<void> => {
    for (const entry of (await git.readTree({ fs, dir, oid })).tree) {
      const name = path === '' ? entry.path : `${path}/${entry.path}`;
      const isInside = folder === '' || `${name}/`.startsWith(`${folder}/`);
      if (entry.type === 'tree' && (isInside || `${folder}/`.startsWith(`${name}/`))) await visit(entry.oid, name);
      if (entry.type !== 'blob' || !isInside || !/\.ya?ml$/.test(name)) continue;
      const { blob } = await git.readBlob({ fs, dir, oid: entry.oid });
      if (blob.length <= MOST_FILE) found.push({ path: name, text: Buffer.from(blob).toString('utf8') });
    }
  };
  await visit(tree, '');
  return found;
}

/** The tree with one file written or taken out; undefined: nothing is left in it. */
async function withFile(
  dir: string,
  tree: string | undefined,
  path: readonly string[],
  blob: string | undefined,
): Promise<string | undefined> {
  const [name = '', ...rest] = path;
  const entries = tree === undefined ? [] : (await git.readTree({ fs, dir, oid: tree })).tree;
  const old = entries.find((entry) => entry.path === name);
  const others = entries.filter((entry) => entry.path !== name);
  const oid = rest.length === 0 ? blob : await withFile(dir, old?.type === 'tree' ? old.oid : undefined, rest, blob);
  const kept: TreeEntry[] =
    rest.length === 0
      ? [{ mode: old?.mode ?? '100644', path: name, oid: oid ?? '', type: 'blob' }]
      : [{ mode: '040000', path: name, oid: oid ?? '', type: 'tree' }];
  const all = oid === undefined ? others : [...others, ...kept];
  return all.length === 0 ? undefined : git.writeTree({ fs, dir, tree: all });
}

/** isomorphic-git's requests through our own: the proxy of the environment, a CA, a deadline, and no redirect with a token. */
function httpOf(signal: AbortSignal, ca: string | undefined): HttpClient {
  return {
    request: async ({ url, method = 'GET', headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> => {
      const chunks: Uint8Array[] = [];
      if (body) for await (const chunk of body) chunks.push(chunk);
      const sent = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
      const answer = await send({ url, method, headers, ca, signal, mostBytes: MOST_BYTES, ...sent });
      const pieces = (async function* () {
        yield new Uint8Array(answer.body);
      })();
      const heard = Object.fromEntries(Object.entries(answer.headers).map(([key, value]) => [key, String(value)]));
      return { url, method, headers: heard, statusCode: answer.status, statusMessage: String(answer.status), body: pieces };
    },
  };
}
