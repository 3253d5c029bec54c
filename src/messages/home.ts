// The app's Home: what waits for one person, what is theirs, what runs, what is frozen, and how the last operations ended. Pure.
import type { ActionsBlock, Button, HomeView, KnownBlock } from '@slack/types';
import { type SlashNames, slashed, VERBS } from '../domain/commands/verbs.ts';
import type { Emergency } from '../domain/lifecycle/emergency.ts';
import type { Freeze } from '../domain/lifecycle/freeze.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { clockTime, code, frozenWords, moment, number, said } from '../domain/words/words.ts';
import { abortButton, answerRow } from './buttons.ts';
import { commandRow } from './command-button.ts';
import { openButton } from './forms/open-button.ts';
import { plain } from './forms/parts.ts';
import { headline } from './headline.ts';
import { section } from './message.ts';

export interface HomeOperation {
  readonly view: OperationView;
  /** To its message. */
  readonly link?: string;
}

export interface HomeShown {
  readonly waiting: readonly HomeOperation[];
  readonly mine: readonly HomeOperation[];
  readonly running: readonly HomeOperation[];
  readonly frozen: readonly Freeze[];
  /** Emergencies that this person may review, and has not yet. */
  readonly reviews: readonly Emergency[];
  /** How the last operations ended, a line for each. */
  readonly past: readonly string[];
  /** What does not answer just now, in words. */
  readonly silent: readonly string[];
  readonly clusters: readonly string[];
  readonly slash: SlashNames;
  readonly at: number;
}

/** A link is an action of its own; it changes nothing. */
export const LINK_ACTION = 'meshops-link';
/** Slack takes 100 blocks; with two for each operation and one for each line this stays far below. */
const MOST_LISTED = 8;

export function homeView(shown: HomeShown): HomeView {
  const { waiting, mine, running, frozen, past, slash } = shown;
  // What could not be read is not nothing.
  const isEmpty = shown.silent.length + waiting.length + mine.length + running.length + frozen.length + shown.reviews.length === 0;
  return {
    type: 'home',
    blocks: [
      ...shown.silent.map((words) => section(`*${said(words, 300)}*`)),
      ...list('Waiting for you', waiting, question, slash),
      ...list('Review an emergency', shown.reviews, (one) => reviewBlocks(one, slash), slash),
      ...list('Yours', mine, own, slash),
      ...list('Running', running, own, slash),
      ...list('Frozen', frozen, (freeze, at) => frozenBlocks(freeze, slash, at), slash),
      ...(isEmpty ? [section('Nothing waits for you. Nothing runs.')] : []),
      ...(past.length > 0 ? [{ type: 'header' as const, text: plain('Last operations') }, ...past.map(section)] : []),
      ...actions(slash),
      {
        type: 'context',
        elements: [
          {
            type: 'mrkdwn',
            text: `${shown.clusters.map((one) => said(one, 60)).join(', ')} · as of ${clockTime(shown.at)}`,
            verbatim: true,
          },
        ],
      },
    ],
  };
}

function list<T>(
  title: string,
  all: readonly T[],
  render: (one: T, at: number) => readonly KnownBlock[],
  slash: SlashNames,
): readonly KnownBlock[] {
  if (all.length === 0) return [];
  const more = all.length - MOST_LISTED;
  return [
    { type: 'header', text: plain(`${title} (${all.length})`) },
    ...all.slice(0, MOST_LISTED).flatMap((one, at) => render(one, at)),
    ...(more > 0 ? [section(`and ${number(more)} more: ${code(slashed(slash, 'status'))}`)] : []),
  ];
}

function question({ view, link }: HomeOperation): readonly KnownBlock[] {
  const { gate, reason, requester } = view;
  const until = gate ? ` · by ${clockTime(gate.expiresAt)}` : '';
  const asked = `${said(requester.name, 80)}${reason === undefined ? '' : `: "${said(reason, 200)}"`}`;
  const elements = [...(answerRow(view)?.elements ?? []), ...openLink(view, link)];
  return rows(`*${said(headline(view), 140)}*${until} · ${asked}`, view, elements);
}

function own({ view, link }: HomeOperation): readonly KnownBlock[] {
  const until = view.watchUntil === undefined ? '' : ` · until ${clockTime(view.watchUntil)}`;
  const abort = abortButton(view);
  return rows(`*${said(headline(view), 140)}*${until} · ${said(view.requester.name, 80)}, ${moment(view.startedAt)}`, view, [
    ...openLink(view, link),
    ...(abort ? [abort] : []),
  ]);
}

function rows(text: string, { opId }: OperationView, elements: ActionsBlock['elements']): readonly KnownBlock[] {
  const row: ActionsBlock = { type: 'actions', block_id: `home:${opId}`, elements };
  return [section(text), ...(elements.length > 0 ? [row] : [])];
}

function openLink(view: OperationView, url: string | undefined): readonly Button[] {
  if (url === undefined) return [];
  return [
    {
      type: 'button',
      action_id: `${LINK_ACTION}:${view.opId}`,
      text: plain('Open'),
      url,
      accessibility_label: `Open the message of ${view.opId}`,
    },
  ];
}

function frozenBlocks(freeze: Freeze, slash: SlashNames, at: number): readonly KnownBlock[] {
  const what = freeze.scope === '*' ? 'everything' : freeze.scope;
  const confirm = { title: `Lift the freeze of ${what}?`, text: 'New changes may begin, and what waits goes on.', yes: 'Lift' };
  const lift = commandRow([
    { label: 'Lift…', command: slashed(slash, `unfreeze ${freeze.scope}`), spoken: `Lift the freeze of ${what}`, confirm },
  ]);
  return [section(frozenWords(freeze)), ...(lift ? [{ ...lift, block_id: `home:freeze:${at}` }] : [])];
}

function reviewBlocks({ opId, by, reason, at, until, reviews }: Emergency, slash: SlashNames): readonly KnownBlock[] {
  const who = by.map(({ name }) => said(name, 80)).join(', ');
  const words = `*${said(opId)}* began without approval ${moment(at)}, by ${who}: "${said(reason, 200)}"`;
  const confirm = {
    title: `Sign for ${opId}?`,
    text: 'You have looked at what was done, and why. The record keeps your name.',
    yes: 'Sign',
  };
  const sign = commandRow([{ label: 'Sign', command: slashed(slash, `review ${opId}`), spoken: `Sign: the emergency ${opId}`, confirm }]);
  return [
    section(`${words} · ${reviews.length} of 2 signed · by ${moment(until)}`),
    ...(sign ? [{ ...sign, block_id: `home:review:${opId}` }] : []),
  ];
}

function actions(slash: SlashNames): readonly KnownBlock[] {
  const forms = VERBS.flatMap(({ name, form }) => (form === undefined ? [] : [openButton(name, form)]));
  const help = commandRow([{ label: 'Help', command: slashed(slash, 'help') }]);
  return [{ type: 'actions', block_id: 'home:actions', elements: [...forms, ...(help?.elements ?? [])] }];
}
