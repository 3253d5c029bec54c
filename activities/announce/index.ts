// Everything an operation says in Slack: the root message, the replies in its thread, the chart.

import { Context } from '@temporalio/activity';
import type { MessageRef, OperationView } from '../../src/domain/operation.ts';
import { formatTarget } from '../../src/domain/target.ts';
import { VERB_RECORDS } from '../../src/domain/verb.ts';
import type { SideCounts } from '../../src/domain/verdict.ts';
import { countsWords } from '../../src/messages/ladder.ts';
import type { SlackMessages } from '../clients/slack.ts';
import type { SeriesPoint, Shared } from '../contract.ts';
import type { Log } from '../log.ts';
import { type Announcer, createAnnouncer, find } from './announce.ts';
import { chartSvg } from './chart.ts';
import { pngOf } from './chart-image.ts';
import { slackFailure } from './failure.ts';
import { retireButtons } from './retire.ts';

export interface AnnounceOptions {
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
  /** Id of the usergroup that is called when an undo keeps failing; asked each time, since the configuration may change. */
  readonly onCall?: () => string | undefined;
}

export type Announce = Announcer & Pick<Shared, 'chart'> & { readonly retire: (message: MessageRef) => Promise<void> };

/** The activities that speak. Failures: `SlackRateLimited` and `SlackUnclear` are retried by Temporal, `SlackRefused` is not. */
export function createAnnounce(options: AnnounceOptions): Announce {
  const attempt = options.attempt ?? (() => Context.current().info.attempt);
  const { slack } = options;
  const announcer = createAnnouncer({ ...options, attempt });
  return {
    ...announcer,
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

/** The chart in words, for people who do not see it. */
function altText(title: string, { verb }: OperationView, series: readonly SeriesPoint[]): string {
  const { sides, chart } = VERB_RECORDS[verb].words;
  const sum = (side: 'canary' | 'stable'): SideCounts => ({
    requests: series.reduce((all, point) => all + point[side].requests, 0),
    failures: series.reduce((all, point) => all + point[side].failures, 0),
  });
  const shares = [...new Set(series.flatMap(({ percent }) => (percent === undefined ? [] : [`${percent}%`])))].join(', ');
  const drawn = `${chart.rate} of both sides (${sides.changed}, ${sides.rest}), ${chart.bad} in percent, ${chart.share} (${shares})`;
  return `Chart of ${title}: ${drawn}. In total: ${countsWords({ canary: sum('canary'), stable: sum('stable') }, verb)}`.slice(0, 1_000);
}
