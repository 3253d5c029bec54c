// "Freeze": the command with its arguments as fields.
import type { KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import { plural } from '../../domain/words/words.ts';
import { field, formView, option, plain, preview } from './parts.ts';

export const FREEZE_FORM = 'meshops-form:freeze';

const LENGTHS = [
  ['30m', '30 min'],
  ['1h', '1 h'],
  ['2h', '2 h'],
  ['4h', '4 h'],
  ['8h', '8 h'],
  ['24h', '1 day'],
  ['48h', '2 days'],
  ['7d', '7 days'],
] as const;

export interface FreezeFormShown {
  readonly memory: object;
  readonly lines: readonly string[];
  readonly scope?: PlainTextOption;
  readonly channel?: KnownBlock;
}

export function freezeForm({ memory, lines, scope, channel }: FreezeFormShown): ModalView {
  const scopes = {
    type: 'external_select',
    action_id: 'meshops-form:scope',
    min_query_length: 0,
    placeholder: plain('Everything, a cluster, a namespace or a service'),
    ...(scope && { initial_option: scope }),
  } as const;
  const lengths = {
    type: 'static_select',
    action_id: 'meshops-form:length',
    options: LENGTHS.map(([value, words]) => option(words, value)),
  } as const;
  const reason = {
    type: 'plain_text_input',
    action_id: 'meshops-form:reason',
    placeholder: plain('Why? Everybody who is stopped reads it.'),
    min_length: 1,
    max_length: 300,
  } as const;
  return formView({ callback: FREEZE_FORM, title: 'Freeze', submit: 'Freeze', memory }, [
    ...(channel ? [channel] : []),
    field('scope', 'What', scopes, { dispatch_action: true }),
    field('length', 'For how long', lengths),
    field('reason', 'Reason', reason),
    preview(lines),
  ]);
}

/** What it would stop. `running`: operations there now; undefined where nobody says. */
export function freezeLines(running: number | undefined): readonly string[] {
  const steps = running === undefined || running === 0 ? '' : ` and next steps of ${plural(running, 'running operation')}`;
  return [`Stops new changes${steps}. Rollbacks still work.`];
}
