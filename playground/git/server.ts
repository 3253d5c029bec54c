import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A request to merge, as GitHub and GitLab take it. */
export interface Merge {
  readonly provider: 'github' | 'gitlab';
  readonly project: string;
  readonly from: string;
  readonly into: string;
  readonly title: string;
}

/** Bare repositories on loopback behind the real `git http-backend`, with as much of GitHub's and GitLab's APIs as opens a request to merge. */
export interface GitServer {
  readonly url: string;
  readonly merges: readonly Merge[];
  /** Paths of every request, in order. */
  readonly asked: readonly string[];
  /** Makes a bare repository `<project>.git` whose branch `main` has these files; returns its address. */
  create(project: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** Runs git in a clone of the project that people would have. */
  git(project: string, args: readonly string[], input?: string): Promise<string>;
  /** Where that clone is. */
  clone(project: string): string;
  stop(): Promise<void>;
}

export interface GitServerOptions {
  /** Whoever does not bring it is refused. Left out: everybody may. */
  readonly token?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startGit({ token, tls }: GitServerOptions = {}): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), 'meshops-bare-'));
  const { stdout } = await run('git', ['--exec-path']);
  const backend = join(stdout.trim(), 'git-http-backend');
  const merges: Merge[] = [];
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (token !== undefined && !mayCome(request, token)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    if (request.url?.startsWith('/api/')) void merge(merges, base(), request, response);
    else serveGit(backend, join(root, 'bare'), request, response);
  };
  const server: Server = tls ? createSecureServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const base = (): string => (tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`);
  const clone = (project: string): string => join(root, 'clones', project);
  const git: GitServer['git'] = (project, args, input) => gitIn(clone(project), args, input);
  return {
    url: base(),
    merges,
    asked,
    clone,
    git,
    create: async (project, files) => {
      const bare = join(root, 'bare', `${project}.git`);
      await mkdir(bare, { recursive: true });
      await gitIn(bare, ['init', '--quiet', '--bare', '--initial-branch=main']);
      await gitIn(bare, ['config', 'http.receivepack', 'true']);
      await mkdir(clone(project), { recursive: true });
      await git(project, ['init', '--quiet', '--initial-branch=main']);
      await git(project, ['remote', 'add', 'origin', bare]);
      for (const [path, text] of Object.entries(files)) {
        const file = join(clone(project), path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      await git(project, ['add', '-A']);
      await git(project, ['commit', '--quiet', '-m', 'The manifests']);
      await git(project, ['push', '--quiet', 'origin', 'main']);
      return `${base()}/${project}.git`;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(root, { recursive: true, force: true });
    },
  };
}

const WHO = { GIT_AUTHOR_NAME: 'Operator', GIT_AUTHOR_EMAIL: 'operator@example.com' };
const ENV = { GIT_COMMITTER_NAME: 'Operator', GIT_COMMITTER_EMAIL: 'operator@example.com', GIT_CONFIG_GLOBAL: '/dev/null' };

async function gitIn(cwd: string, args: readonly string[], input?: string): Promise<string> {
  const child = run('git', [...args], { cwd, env: { ...process.env, ...WHO, ...ENV } });
  child.child.stdin?.end(input);
  return (await child).stdout;
}

function mayCome({ headers: { authorization = '' } }: IncomingMessage, token: string): boolean {
  if (authorization === `Bearer ${token}`) return true;
  const [kind, value = ''] = authorization.split(' ');
  return kind === 'Basic' && Buffer.from(value, 'base64').toString('utf8').endsWith(`:${token}`);
}

/** CGI: the request in variables and on stdin, the answer with its headers on stdout. */
function serveGit(backend: string, root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://git');
  const env = {
    ...process.env,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    REMOTE_USER: 'meshops',
  };
  const child = spawn(backend, [], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  let head = Buffer.alloc(0);
  let isHead = true;
  child.stdout.on('data', (chunk: Buffer) => {
    if (!isHead) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    isHead = false;
    const lines = head.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
    const { Status: status = '200', ...others } = headers;
    response.writeHead(Number.parseInt(status, 10), others);
    response.write(head.subarray(end + 4));
  });
  child.stdout.on('end', () => response.end());
}

/** `POST …/pulls` and `POST …/merge_requests`; a second one for the same branch is refused as there, and found by a GET. */
async function merge(merges: Merge[], base: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(request.url ?? '/', base);
  const answer = (status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const onGitHub = /^\/api\/v3\/repos\/([^/]+\/[^/]+)\/pulls$/.exec(pathname)?.[1];
  const onGitLab = /^\/api\/v4\/projects\/([^/]+)\/merge_requests$/.exec(pathname)?.[1];
  const project = onGitHub ?? (onGitLab && decodeURIComponent(onGitLab));
  if (project === undefined) return answer(404, { message: 'Not Found' });
  const provider = onGitHub === undefined ? 'gitlab' : 'github';
  const shown = (index: number): object => {
    const address = `${base}/${project}/-/requests/${index + 1}`;
    return provider === 'github' ? { html_url: address } : { web_url: address };
  };
  if (request.method === 'GET') {
    const head = searchParams.get('source_branch') ?? searchParams.get('head')?.split(':')[1];
    const found = merges.findIndex((one) => one.project === project && one.from === head);
    return answer(200, found < 0 ? [] : [shown(found)]);
  }
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, string>;
  const [from = '', into = ''] = provider === 'github' ? [body['head'], body['base']] : [body['source_branch'], body['target_branch']];
  if (merges.some((one) => one.project === project && one.from === from))
    return answer(provider === 'github' ? 422 : 409, { message: 'exists' });
  merges.push({ provider, project, from, into, title: body['title'] ?? '' });
  answer(201, shown(merges.length - 1));
}
