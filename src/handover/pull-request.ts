import * as z from 'zod';
import { send } from '../net/request.ts';

/** A request to merge one branch into another. */
interface PullRequest {
  readonly repository: string;
  readonly provider: 'github' | 'gitlab';
  /** Root of its API; where the repository is when left out. */
  readonly apiUrl?: string;
  readonly token: string;
  readonly ca?: string;
  readonly branch: string;
  readonly into: string;
  readonly title: string;
  readonly body: string;
}

const GitHub = z.object({ html_url: z.string() });
const GitLab = z.object({ web_url: z.string() });

/** Opens it, or finds the one that is open for this branch; returns its address. */
export async function openPullRequest(request: PullRequest, signal: AbortSignal): Promise<string> {
  return request.provider === 'github' ? onGitHub(request, signal) : onGitLab(request, signal);
}

/** `owner/name`, or a longer path on GitLab. */
function projectOf(repository: string): string {
  return new URL(repository).pathname.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}

async function onGitHub(request: PullRequest, signal: AbortSignal): Promise<string> {
  const { repository, branch: head, into: base, title, body } = request;
  const { origin, hostname } = new URL(repository);
  const api = request.apiUrl?.replace(/\/$/, '') ?? (hostname === 'github.com' ? 'https://api.github.com' : `${origin}/api/v3`);
  const project = projectOf(repository);
  const pulls = `${api}/repos/${project}/pulls`;
  const headers = { authorization: `Bearer ${request.token}`, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
  const made = await ask(request, 'POST', pulls, headers, { title, head, base, body }, signal);
  if (made.status === 201) return GitHub.parse(made.json).html_url;
  // 422: there is one already.
  const query = new URLSearchParams({ head: `${project.split('/')[0]}:${head}`, base, state: 'open' });
  const open = made.status === 422 ? await ask(request, 'GET', `${pulls}?${query.toString()}`, headers, undefined, signal) : made;
  const [first] = open.status === 200 ? z.array(GitHub).parse(open.json) : [];
  if (first) return first.html_url;
  throw new Error(`GitHub did not take the pull request (${made.status}): ${made.text.slice(0, 300)}`);
}

async function onGitLab(request: PullRequest, signal: AbortSignal): Promise<string> {
  const { repository, branch: source_branch, into: target_branch, title, body: description } = request;
  const api = request.apiUrl?.replace(/\/$/, '') ?? `${new URL(repository).origin}/api/v4`;
  const merges = `${api}/projects/${encodeURIComponent(projectOf(repository))}/merge_requests`;
  const headers = { authorization: `Bearer ${request.token}` };
  const wanted = { source_branch, target_branch, title, description, remove_source_branch: true };
  const made = await ask(request, 'POST', merges, headers, wanted, signal);
  if (made.status === 201) return GitLab.parse(made.json).web_url;
  // 409: there is one already.
  const query = new URLSearchParams({ source_branch, target_branch, state: 'opened' });
  const open = made.status === 409 ? await ask(request, 'GET', `${merges}?${query.toString()}`, headers, undefined, signal) : made;
  const [first] = open.status === 200 ? z.array(GitLab).parse(open.json) : [];
  if (first) return first.web_url;
  throw new Error(`GitLab did not take the merge request (${made.status}): ${made.text.slice(0, 300)}`);
}

async function ask(
  { ca }: PullRequest,
  method: string,
  url: string,
  given: Readonly<Record<string, string>>,
  body: object | undefined,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string; readonly json: unknown }> {
  const headers = { ...given, 'user-agent': 'meshops', ...(body && { 'content-type': 'application/json' }) };
  const answer = await send({ url, method, headers, ca, signal, ...(body && { body: JSON.stringify(body) }) });
  const text = answer.body.toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: answer.status, text, json };
}
