import { readFile } from 'node:fs/promises';
import { type HandoverRule, providerOf } from '../domain/config/handover.ts';
import { compare, type Handed } from './documents.ts';
import { patchOf } from './patch.ts';
import { openPullRequest } from './pull-request.ts';
import { type GitPlace, withCheckout } from './repository.ts';

/** One look at Git. */
export interface Job {
  readonly rule: HandoverRule;
  readonly handed: readonly Handed[];
  /** Branch, title and text of a pull request; left out: Git is only read. */
  readonly propose?: { readonly branch: string; readonly title: string; readonly body: string };
}

export interface Found {
  readonly commit: string;
  /** Empty: Git agrees. */
  readonly paths: readonly string[];
  readonly patch: string;
  readonly problems: readonly string[];
  /** The pull request. */
  readonly url?: string;
}

const DEADLINE_MS = 60_000;

/** Reads the branch, says how it differs from what an operation left, and opens a pull request where that is asked for. */
export async function look({ rule, handed, propose }: Job): Promise<Found> {
  const { repository, branch, folder, user, tokenFile, caFile, as, apiUrl } = rule;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const [token, ca] = await Promise.all([tokenFile && readFile(tokenFile, 'utf8'), caFile && readFile(caFile, 'utf8')]);
  const secret = token?.trim();
  const place: GitPlace = { repository, branch, folder, user, ...(secret && { token: secret }), ...(ca && { ca }) };
  return withCheckout(place, signal, async ({ commit, files, push }) => {
    const { changes, problems } = compare(files, folder, handed);
    const found: Found = { commit, paths: changes.map(({ path }) => path), patch: patchOf(changes), problems };
    const provider = providerOf(rule);
    if (!propose || as !== 'pull-request' || changes.length === 0 || !provider || !secret) return found;
    await push(propose.branch, changes, `${propose.title}\n\n${propose.body}\n`);
    const request = { repository, provider, token: secret, into: branch, ...propose, ...(apiUrl && { apiUrl }), ...(ca && { ca }) };
    return { ...found, url: await openPullRequest(request, signal) };
  });
}
