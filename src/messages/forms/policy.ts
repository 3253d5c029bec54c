// "Enforce a policy": the command with its arguments as fields.
import type { KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import { field, formView, LONGEST_OPTION, option, plain, preview } from './parts.ts';

export const POLICY_FORM = 'meshops-form:policy-enforce';

/** `none`: enforced without being observed first. */
export const NO_OBSERVE = 'none';
const OBSERVE = [
  ['1m', '1 min'],
  ['10m', '10 min'],
  ['1h', '1 h'],
  [NO_OBSERVE, 'Do not observe'],
] as const;
const MOST_OPTIONS = 100;

export interface PolicyFormShown {
  readonly memory: object;
  readonly lines: readonly string[];
  /** What would be dropped, one for each group; the value is what `--accept` takes. */
  readonly drops: readonly { readonly key: string; readonly words: string }[];
  /** What approvers should know first. */
  readonly warning?: string;
  readonly workload?: PlainTextOption;
  readonly channel?: KnownBlock;
}

export function policyForm({ memory, lines, drops, warning, workload, channel }: PolicyFormShown): ModalView {
  const workloads = {
    type: 'external_select',
    action_id: 'meshops-form:workload',
    min_query_length: 0,
    placeholder: plain('A workload; those with a policy file first'),
    ...(workload && { initial_option: workload }),
  } as const;
  const observe = {
    type: 'static_select',
    action_id: 'meshops-form:observe',
    options: OBSERVE.map(([value, words]) => option(words, value)),
  } as const;
  const options = drops
    .filter(({ key }) => key.length <= LONGEST_OPTION)
    .slice(0, MOST_OPTIONS)
    .map(({ key, words }) => option(words, key));
  const accept = {
    type: 'multi_static_select',
    action_id: 'meshops-form:accept',
    options,
    placeholder: plain('Drops that are meant'),
  } as const;
  const reason = {
    type: 'plain_text_input',
    action_id: 'meshops-form:reason',
    placeholder: plain('Why? Approvers read it.'),
    max_length: 300,
  } as const;
  return formView({ callback: POLICY_FORM, title: 'Enforce a policy', submit: 'Plan it', memory }, [
    ...(channel ? [channel] : []),
    field('workload', 'Workload', workloads, { dispatch_action: true }),
    field('observe', 'Observe first', observe, { optional: true, hint: plain('Left out: as long as the configuration says.') }),
    ...(options.length > 0 ? [field('accept', 'Accept these drops', accept, { optional: true })] : []),
    field('reason', 'Reason', reason, { optional: true }),
    ...(warning === undefined ? [] : [alert(warning)]),
    preview(lines),
  ]);
}

/** Only forms may have this block; the library's types leave its level open. */
function alert(text: string): KnownBlock {
  return { type: 'alert', block_id: 'warning', level: 'warning', text: { type: 'plain_text', text: text.slice(0, 200), emoji: false } };
}
