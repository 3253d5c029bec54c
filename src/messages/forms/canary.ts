// "Start a canary": the command with its arguments as fields.
import type { KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import type { PreviewedShare } from '../../domain/canary/preview.ts';
import type { GateRule } from '../../domain/lifecycle/gate.ts';
import { formatPercent } from '../../domain/words/percent.ts';
import { oneOf, plural, said } from '../../domain/words/words.ts';
import { field, formView, option, plain, preview } from './parts.ts';

export const CANARY_FORM = 'meshops-form:canary';

const WATCHES = [
  ['30s', '30 s'],
  ['1m', '1 min'],
  ['2m', '2 min'],
  ['5m', '5 min'],
  ['15m', '15 min'],
] as const;

export interface CanaryFormShown {
  readonly memory: object;
  readonly service?: PlainTextOption;
  readonly lines: readonly string[];
  /** Where the command goes, when the form was not opened in a channel. */
  readonly channel?: KnownBlock;
}

export function canaryForm({ memory, service, lines, channel }: CanaryFormShown): ModalView {
  const services = {
    type: 'external_select',
    action_id: 'meshops-form:service',
    min_query_length: 0,
    placeholder: plain('A Service that a route splits'),
    ...(service && { initial_option: service }),
  } as const;
  const percent = {
    type: 'number_input',
    action_id: 'meshops-form:percent',
    is_decimal_allowed: true,
    min_value: '0',
    max_value: '100',
  } as const;
  return formView({ callback: CANARY_FORM, title: 'Start a canary', submit: 'Plan it', memory }, [
    ...(channel ? [channel] : []),
    field('service', 'Service', services, { dispatch_action: true }),
    field('percent', 'Share in %', percent, { dispatch_action: true }),
    field('steps', 'Steps', text('steps', '5,10,25'), { optional: true, hint: plain('Left out: the configured steps up to the share.') }),
    field('soak', 'Watch each', watches(), { optional: true }),
    field('reason', 'Reason', text('reason', 'Why? Approvers read it.'), { optional: true }),
    preview(lines),
  ]);
}

function text(name: string, placeholder: string) {
  return { type: 'plain_text_input', action_id: `meshops-form:${name}`, placeholder: plain(placeholder), max_length: 300 } as const;
}

function watches() {
  return { type: 'static_select', action_id: 'meshops-form:soak', options: WATCHES.map(([value, words]) => option(words, value)) } as const;
}

/** `backend 100% → 90%, backend-canary 0% → 10%. Needs approval by …`; without shares: what is still to be chosen. */
export function canaryLines(shares: readonly PreviewedShare[] | undefined, gates: readonly GateRule[] | undefined): readonly string[] {
  const moved = shares?.map(({ name, before, after }) => `*${said(name)}* ${formatPercent(before)} → ${formatPercent(after)}`).join(', ');
  return [
    moved === undefined ? 'Choose a Service and a share: what it means for each Service comes here.' : `${moved}.`,
    ...(gates === undefined ? [] : [needsWords(gates)]),
    '“Plan it” changes nothing.',
  ];
}

function needsWords(gates: readonly GateRule[]): string {
  if (gates.length === 0) return 'Needs no approval.';
  const most = Math.max(...gates.map(({ quorum }) => quorum));
  const groups = gates.flatMap(({ approvers }) => [
    ...approvers.usergroups.map((id) => `<!subteam^${id}>`),
    ...approvers.emails.map((email) => said(email, 80)),
  ]);
  return `Needs ${plural(most, 'approval')}${groups.length > 0 ? ` by ${oneOf([...new Set(groups)])}` : ''}.`;
}
