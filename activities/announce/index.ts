// Everything an operation says in Slack: the root message, the replies in its thread, the chart.

import { Context } from '@temporalio/activity';
import type { SlackMessages } from '../../src/clients/slack.ts';
import { NO_COUNTS, sumOf } from '../../src/domain/judge/verdict.ts';
import type { SeriesPoint, Shared } from '../../src/domain/lifecycle/contract.ts';
import type { MessageRef, OperationView } from '../../src/domain/lifecycle/operation.ts';
import { formatTarget } from '../../src/domain/target.ts';
import { recordOf } from '../../src/domain/verb.ts';
import type { Log } from '../../src/log.ts';
import { chartSvg } from '../../src/messages/chart.ts';
import { countsWords } from '../../src/messages/ladder.ts';
import { retireButtons } from '../../src/messages/retire.ts';
import { type Announcer, createAnnouncer } from './announce.ts';
import { pngOf } from './chart-image.ts';
import { slackFailure } from './failure.ts';
import { find } from './find.ts';

interface AnnounceOptions {
  readonly slack: SlackMessages;
  /** Epoch ms. */
  readonly now: () => number;
  readonly logger?: Log;
  /** Which try of its activity a call is, from 1. Default: what Temporal says. */
  readonly attempt?: () => number;
  /** Edits a minute for live numbers, of this process. Default 40 of the about 50 that Slack allows a workspace. */
  readonly editsPerMinute?: number;
  /** What an operation shows now, by its own word; undefined when it cannot be asked. Left out: live numbers are shown beside what a watch knew. */
  readonly describe?: (view: OperationView) => Promise<OperationView | undefined>;
  /** Why the undo has failed last; undefined when nobody can say. Left out: the note says no more than that it fails. */
  readonly lastFailure?: (view: OperationView) => Promise<string | undefined>;
  /** Id of the usergroup that is called when an undo keeps failing; asked each time, since the configuration may change. */
  readonly onCall?: () => string | undefined;
}

type Announce = Announcer & Pick<Shared, 'chart'> & { readonly retire: (message: MessageRef) => Promise<void> };

/** The activities that speak. Failures: `SlackRateLimited` and `SlackUnclear` are retried by Temporal, `SlackRefused` is not. */
export function createAnnounce(options: AnnounceOptions): Announce {
  const attempt = options.attempt ?? (() => Context.current().info.attempt);
  const { slack } = options;
  const announcer = createAnnouncer({ ...options, attempt });
  const reasonOf = async (view: OperationView): Promise<string | undefined> => view.undoFailing && (await options.lastFailure?.(view));
  return {
    ...announcer,
    async announce({ view, channelId }) {
      return announcer.announce({ view: withReason(view, await reasonOf(view)), channelId });
    },
    async say({ note, ...input }) {
      const reason = note.kind === 'undo-failing' ? await reasonOf(input.view) : undefined;
      return announcer.say({ ...input, note: note.kind === 'undo-failing' && reason !== undefined ? { ...note, reason } : note });
    },
    async retire(message) {
      try {
        await retireButtons(slack, message);
      } catch (error) {
        throw slackFailure(error);
      }
    },
    async chart({ view, thread, series }) {
      const name = `meshops-${view.opId}-${series.at(-1)?.at ?? 0}.png`;
      try {
        const where = { oldest: Number(thread.ts) - 1, threadTs: thread.ts };
        if (attempt() > 1 && (await find(slack, thread.channelId, where, (message) => message.files.includes(name)))) return;
        const title = `${view.verb} ${formatTarget(view.target)}, operation ${view.opId}`;
        const bytes = pngOf(chartSvg(view, series));
        await slack.upload({
          channelId: thread.channelId,
          threadTs: thread.ts,
          name,
          title,
          altText: altText(title, view, series),
          comment: 'What was watched',
          bytes,
        });
      } catch (error) {
        throw slackFailure(error);
      }
    },
  };
}

/** The workflow sees an undo that is tried again, not why: that is known where the attempts are. */
function withReason(view: OperationView, reason: string | undefined): OperationView {
  return view.undoFailing && reason !== undefined ? { ...view, undoFailing: { ...view.undoFailing, reason } } : view;
}

/** The chart in words, for people who do not see it. */
function altText(title: string, { verb }: OperationView, series: readonly SeriesPoint[]): string {
  const { sides, chart } = recordOf(verb).words;
  const all = series.reduce((sum, point) => sumOf(sum, point), NO_COUNTS);
  const shares = [...new Set(series.flatMap(({ percent }) => (percent === undefined ? [] : [`${percent}%`])))].join(', ');
  const drawn = `${chart.rate} of both sides (${sides.changed}, ${sides.rest}), ${chart.bad} in percent, ${chart.share} (${shares})`;
  return `Chart of ${title}: ${drawn}. In total: ${countsWords(all, verb)}`.slice(0, 1_000);
}
