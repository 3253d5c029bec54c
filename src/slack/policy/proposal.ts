// The buttons below a proposal. A button names the proposal by its hash; the text itself is the file in the thread.

import { formatTarget, type Target } from '../../domain/target.ts';
import type { AttachedFile } from '../../reading/policy/sources/thread-file.ts';
import type { BotDeps } from '../deps.ts';

export const PROPOSAL_ACTIONS = {
  'meshops-policy:check': 'policy check',
  'meshops-policy:dryrun': 'policy dryrun',
  'meshops-policy:enforce': 'policy enforce',
} as const;
export type ProposalAction = keyof typeof PROPOSAL_ACTIONS;

export interface Proposal {
  readonly target: Target;
  readonly sha256: string;
}

export function proposalButtons(proposal: Proposal) {
  const value = JSON.stringify({ t: formatTarget(proposal.target), s: proposal.sha256 });
  const button = (action: ProposalAction, text: string, label: string, style?: 'primary') => ({
    type: 'button' as const,
    action_id: action,
    text: { type: 'plain_text' as const, text },
    accessibility_label: label,
    value,
    ...(style ? { style } : {}),
  });
  return {
    type: 'actions' as const,
    elements: [
      button('meshops-policy:check', 'Check', 'Check the proposed policy'),
      button('meshops-policy:dryrun', 'Dry-run', 'Dry-run the proposed policy on what was seen'),
      button('meshops-policy:enforce', 'Use this (enforce)', 'Start to enforce the proposed policy; it waits for its approval', 'primary'),
    ],
  };
}

/** Reads a button's value; undefined when it is none of ours. */
export function parseProposal(value: string): Proposal | undefined {
  const [, cluster, namespace, name, sha256] =
    /^\{"t":"([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})","s":"([0-9a-f]{64})"\}$/.exec(value) ?? [];
  return cluster && namespace && name && sha256 ? { target: { cluster, namespace, name }, sha256 } : undefined;
}

export function proposalFile({ target, sha256 }: Proposal): string {
  return `${target.namespace}-${target.name}-${sha256.slice(0, 12)}.yaml`;
}

interface Replies {
  readonly messages?: readonly {
    readonly files?: readonly { readonly name?: string; readonly size?: number; readonly url_private?: string }[];
  }[];
}

/** The proposal's file in its thread, or undefined when it has been deleted. */
export async function findProposalFile(
  deps: Pick<BotDeps, 'web'>,
  proposal: Proposal,
  thread: { readonly channelId: string; readonly ts: string },
): Promise<AttachedFile | undefined> {
  const answer = (await deps.web.conversations.replies({ channel: thread.channelId, ts: thread.ts, limit: 200 })) as Replies;
  const wanted = proposalFile(proposal);
  const file = answer.messages?.flatMap(({ files = [] }) => files).find(({ name }) => name === wanted);
  if (!file?.url_private) return undefined;
  return { name: wanted, url: file.url_private, ...(file.size === undefined ? {} : { size: file.size }) };
}
