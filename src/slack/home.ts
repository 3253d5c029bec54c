// The app's Home. Slack says when somebody opens it and never when they leave: so it is kept up to date for some minutes, and nobody pays for one
// that nobody looks at.

import type { App } from '@slack/bolt';
import type { Actor } from '../domain/lifecycle/actor.ts';
import { parseButton } from '../domain/lifecycle/button.ts';
import type { Emergency } from '../domain/lifecycle/emergency.ts';
import type { Gate } from '../domain/lifecycle/gate.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { isSamePerson } from '../domain/lifecycle/person.ts';
import { isClusterWide, type Target } from '../domain/target.ts';
import { type HomeOperation, type HomeShown, homeView, LINK_ACTION } from '../messages/home.ts';
import { section } from './answer.ts';
import { type Cache, createCache } from './cache.ts';
import type { BotDeps } from './deps.ts';
import { pastLines } from './history.ts';
import { permalink } from './link.ts';
import { mayRead } from './rights.ts';
import { isUserId } from './shape.ts';

export interface Home {
  /** Somebody has opened it, or pressed a button in it: they look for some minutes more. Never rejects. */
  look(userId: string): Promise<void>;
  stop(): void;
}

/** What changes is seen within 5 s: a round takes part of that. Milliseconds. */
const EVERY_MS = 3_500;
const LOOKS_MS = 10 * 60_000;
/** Opened twice within this time counts once; what changes is seen by the rounds. */
const AGAIN_MS = 2_000;
const AT_ONCE = 16;
/** A page shows less; and nobody waits for more to be asked. */
const MOST_RUNNING = 100;
/** Rights and groups are asked for again after this. Milliseconds. */
const KEPT_MS = 60_000;
/** Slack takes some 100 views a minute (tier 4). */
const MOST_A_ROUND = 5;
const MOST_LOOKERS = 200;

export function hearHome(app: App, home: Home): void {
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home' && isUserId(event.user)) await home.look(event.user);
  });
  // The browser follows the link; Slack tells of it all the same.
  app.action(new RegExp(`^${LINK_ACTION}:`), async ({ ack }) => ack());
}

/** The channel of the operation that a button in a Home is about: its rules hold for the click. */
export async function channelOf({ operations }: BotDeps, value: string | undefined): Promise<string | undefined> {
  const ids = parseButton(value ?? '');
  const described = ids && (await operations.describe({ workflowId: ids.workflowId, runId: ids.runId }).catch(() => undefined));
  return described?.kind === 'view' ? described.view.message?.channelId : undefined;
}

interface Looker {
  /** When they opened it last. */
  since: number;
  until: number;
  /** What they see, without the time. */
  shown: string;
}

export function createHome(deps: BotDeps): Home {
  const lookers = new Map<string, Looker>();
  const eyes = createEyes(deps);
  let timer: NodeJS.Timeout | undefined;
  let at = 0;

  const publish = async (userId: string, running: Running): Promise<void> => {
    const looker = lookers.get(userId);
    if (!looker) return;
    const shown = await eyes.shownTo(userId, running);
    const words = JSON.stringify({ ...shown, at: 0 });
    if (words === looker.shown) return;
    const view = 'refused' in shown ? { type: 'home' as const, blocks: [section(shown.refused)] } : homeView(shown);
    await deps.web.views.publish({ user_id: userId, view });
    looker.shown = words;
  };

  const round = async (): Promise<void> => {
    const now = deps.now();
    for (const [userId, { until }] of lookers) if (until < now) lookers.delete(userId);
    const all = [...lookers.keys()];
    if (all.length === 0) return;
    const running = await readRunning(deps);
    // All of them in turn, a few in each round, where many look at once.
    const turn = Array.from({ length: Math.min(MOST_A_ROUND, all.length) }, (_, index) => all[(at + index) % all.length] ?? '');
    at += turn.length;
    const done = await Promise.allSettled(turn.map((userId) => publish(userId, running)));
    for (const one of done) if (one.status === 'rejected') deps.log.warn({ err: one.reason }, 'a Home could not be shown');
  };

  const later = (): void => {
    timer ??= setTimeout(() => {
      round()
        .catch((error: unknown) => deps.log.warn({ err: error }, 'what runs could not be read for the Homes'))
        .finally(() => {
          timer = undefined;
          if (lookers.size > 0) later();
        });
    }, EVERY_MS).unref();
  };

  return {
    look: async (userId) => {
      if (lookers.size >= MOST_LOOKERS && !lookers.has(userId)) return;
      const now = deps.now();
      const before = lookers.get(userId);
      // Opened again: shown again, whatever was shown before; but nobody makes us read again and again.
      if (before && now - before.since < AGAIN_MS) return void (before.until = now + LOOKS_MS);
      lookers.set(userId, { since: now, until: now + LOOKS_MS, shown: '' });
      later();
      try {
        await publish(userId, await readRunning(deps));
      } catch (error) {
        deps.log.warn({ err: error }, 'a Home could not be shown');
      }
    },
    stop: () => {
      lookers.clear();
      clearTimeout(timer);
    },
  };
}

interface Running {
  readonly views: readonly OperationView[];
  readonly silent: readonly string[];
}

/** Read once for all who look. */
async function readRunning({ operations }: BotDeps): Promise<Running> {
  const all = await operations.listRunning(MOST_RUNNING).catch(() => undefined);
  if (!all) return { views: [], silent: ['Temporal does not answer: what runs is not known.'] };
  const views: OperationView[] = [];
  let unanswered = 0;
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const answers = await Promise.all(all.slice(start, start + AT_ONCE).map((one) => operations.describe(one).catch(() => undefined)));
    for (const answer of answers) {
      if (answer?.kind === 'view' && answer.view.phase !== 'over') views.push(answer.view);
      else if (answer?.kind !== 'gone' && answer?.kind !== 'view') unanswered += 1;
    }
  }
  return { views, silent: unanswered === 0 ? [] : [`No worker answers for ${unanswered} of the operations that run.`] };
}

interface Eyes {
  shownTo(userId: string, running: Running): Promise<HomeShown | { readonly refused: string }>;
}

/** What one person may see: what they are called for, what they asked for, and what the cluster would show them. */
function createEyes(deps: BotDeps): Eyes {
  const actors = new Map<string, Actor>();
  const groups = createCache<boolean>(async (key) => {
    const [id = '', calls = ''] = key.split(' ');
    const actor = actors.get(id);
    return actor !== undefined && deps.people.isNamed(actor, JSON.parse(calls) as NonNullable<Gate['calls']>);
  }, deps.now);
  const kept = { maxAgeMs: KEPT_MS };
  const maySee = async (actor: Actor, target: Target): Promise<boolean> => {
    if (isClusterWide(target)) return actor.kubernetes !== undefined;
    return mayRead(deps, actor, target, 'routes');
  };
  const isAsked = async (actor: Actor, { gate, requester }: OperationView): Promise<boolean> => {
    if (!gate || gate.approvals.some(({ by }) => by.id === actor.id)) return false;
    const isOwn = isSamePerson(requester, actor);
    if (!gate.calls) return isOwn;
    const { usergroups, emails } = gate.calls;
    return !isOwn && groups.get(`${actor.id} ${JSON.stringify({ usergroups, emails })}`, kept);
  };
  return {
    shownTo: async (userId, { views, silent }) => {
      const identified = await deps.people.identify(userId);
      if (identified.kind === 'refused') return { refused: identified.words };
      const { actor } = identified;
      actors.set(actor.id, actor);
      const unread = new Set<string>();
      const orSay = <T>(asked: Promise<T>, instead: T, words: string): Promise<T> =>
        asked.catch(() => {
          unread.add(words);
          return instead;
        });
      const sorted = await Promise.all(
        views.map(async (view) => {
          const asked = orSay(isAsked(actor, view), false, 'Slack does not say which questions are yours.');
          return [view, await asked, await maySee(actor, view.target)] as const;
        }),
      );
      const [frozen, reviews, past] = await Promise.all([
        orSay(deps.freezes.list(), [], 'The database does not say what is frozen.'),
        orSay(reviewsFor(deps, actor, groups), [], 'Which emergencies you may review could not be read.'),
        orSay(
          pastLines(deps, (target) => maySee(actor, target)),
          [],
          'The database does not say how the last operations ended.',
        ),
      ]);
      const waiting = sorted.flatMap(([view, asked]) => (asked ? [view] : []));
      const mine = views.filter((view) => !waiting.includes(view) && isSamePerson(view.requester, actor));
      const others = sorted.flatMap(([view, , seen]) => (seen && !waiting.includes(view) && !mine.includes(view) ? [view] : []));
      const linked = (all: readonly OperationView[]): Promise<readonly HomeOperation[]> =>
        Promise.all(all.map((view) => withLink(deps, view)));
      return {
        waiting: await linked(waiting),
        mine: await linked(mine),
        running: await linked(others),
        frozen,
        reviews,
        past,
        silent: [...silent, ...unread],
        clusters: Object.keys(deps.config().clusters),
        slash: deps.config().slack.commands,
        at: deps.now(),
      };
    },
  };
}

async function withLink({ web }: BotDeps, view: OperationView): Promise<HomeOperation> {
  const link = await permalink(web, view.message);
  return { view, ...(link !== undefined && { link }) };
}

/** Emergencies that this person is named for, has not asked for, and has not signed. */
async function reviewsFor({ emergencies, config }: BotDeps, actor: Actor, groups: Cache<boolean>): Promise<readonly Emergency[]> {
  const { emergency } = config();
  const open = emergency ? await emergencies.open() : [];
  const theirs = open.filter(({ by, reviews }) => ![...by, ...reviews.map((one) => one.by)].some((one) => isSamePerson(one, actor)));
  if (!emergency || theirs.length === 0) return [];
  const named = await groups.get(`${actor.id} ${JSON.stringify(emergency.reviewers)}`, { maxAgeMs: KEPT_MS });
  return named ? theirs : [];
}
