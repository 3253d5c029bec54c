// views.*: modals, opened by a trigger of the last three seconds, and Homes.
import type { Args } from '../args.ts';
import { acceptHome, acceptView } from '../block-kit/accept.ts';
import type { Core } from '../core.ts';
import type { Json } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import { type OpenView, viewObject } from '../views.ts';
import type { Methods } from './method.ts';

function shown(core: Core, open: OpenView): Json {
  const { team, appId, botId } = core.directory;
  return { view: viewObject(open, { team: team.id, app: appId, bot: botId }) };
}

function checkExternalId(core: Core, view: Json, self?: string): void {
  const externalId = view['external_id'];
  const taken = typeof externalId === 'string' && externalId !== '' ? core.views.find({ externalId }) : undefined;
  if (taken && taken.id !== self) throw new SlackRefusal('duplicate_external_id');
}

function open(core: Core, args: Args): Json {
  // Slack looks at the view first: a wrong one does not use the trigger up.
  const view = acceptView(args.json('view'), core.limits.viewBlocks);
  checkExternalId(core, view);
  const { user } = core.tickets.exchange(args.required('trigger_id'));
  return shown(core, core.views.open(user, view));
}

function push(core: Core, args: Args): Json {
  const view = acceptView(args.json('view'), core.limits.viewBlocks);
  checkExternalId(core, view);
  const { user } = core.tickets.exchange(args.required('trigger_id'));
  return shown(core, core.views.push(user, view));
}

function update(core: Core, args: Args): Json {
  const view = acceptView(args.json('view'), core.limits.viewBlocks);
  const [id, externalId] = [args.optional('view_id'), args.optional('external_id')];
  if (!id && !externalId) throw new SlackRefusal('invalid_arguments', { messages: ['[ERROR] missing required field: view_id'] });
  const updated = core.views.update({ ...(id ? { id } : {}), ...(externalId ? { externalId } : {}) }, view, args.optional('hash'));
  return shown(core, updated);
}

/** Homes belong to people of this workspace; a bot has none. */
function publish(core: Core, args: Args): Json {
  const view = acceptHome(args.json('view'), core.limits.viewBlocks);
  const user = core.directory.user(args.required('user_id'));
  if (user.isBot) throw new SlackRefusal('not_enabled');
  return shown(core, core.views.publish(user.id, view, args.optional('hash')));
}

export const modalMethods: Methods = {
  'views.publish': { tier: 4, run: publish },
  'views.open': { tier: 4, run: open },
  'views.push': { tier: 4, run: push },
  'views.update': { tier: 4, run: update },
};
