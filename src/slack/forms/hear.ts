// Forms: opened by a command without its arguments or by a button, filled in with what the clusters have, read at the end.

import type { App, BlockAction, BlockElementAction, ViewSubmitAction } from '@slack/bolt';
import type { Admission } from '../admission.ts';
import { sayPlain } from '../answer.ts';
import { inBackground } from '../background.ts';
import { answerSlash } from '../commands.ts';
import type { BotDeps } from '../deps.ts';
import { tell } from '../later.ts';
import type { Origin } from '../origin.ts';
import { afterwards } from '../policy/afterwards.ts';
import { refusal } from '../refusals.ts';
import { usualChannel } from './channel.ts';
import { formOf, memoryIn, OPEN_ACTION, openForm } from './open.ts';
import { channelIn, type Filler, type Form, type FormMemory, type Values } from './parts.ts';

type Asked = Omit<Origin, 'channelId'>;

export function hearForms(app: App, deps: BotDeps, admission: Admission): void {
  hearOpening(app, deps, admission);
  hearChoices(app, deps, admission);
  hearSubmissions(app, deps, admission);
}

/** Where a form's command is given: where it was opened, else what it asks for. */
function placeOf(deps: BotDeps, memory: FormMemory, values: Values): string {
  return memory.channelId ?? channelIn(values) ?? usualChannel(deps) ?? '';
}

function hearOpening(app: App, deps: BotDeps, admission: Admission): void {
  app.action<BlockAction>(new RegExp(`^${OPEN_ACTION}:`), async ({ ack, action, body }) => {
    await ack();
    const channelId = body.channel?.id;
    const command = action.action_id.slice(OPEN_ACTION.length + 1);
    const origin: Origin = { ...askedBy(body, body.trigger_id), channelId: channelId ?? usualChannel(deps) ?? '' };
    const greeted = admission.greet(origin) ?? (await admission.know(origin));
    const opened =
      greeted.kind === 'known'
        ? await openForm(deps, greeted, { triggerId: body.trigger_id, command, memory: channelId === undefined ? {} : { channelId } })
        : greeted;
    if (!opened) return;
    deps.meter.refused(opened.code);
    const direct = channelId === undefined ? { direct: true as const } : {};
    await tell(deps, { channelId: origin.channelId, userId: origin.userId, ...direct }, sayPlain(opened.words));
  });
}

function hearChoices(app: App, deps: BotDeps, admission: Admission): void {
  app.options(/^meshops-form:/, async ({ ack, payload, body }) => {
    const form = formOf(body.view?.callback_id);
    const memory = memoryIn(body.view?.private_metadata);
    const values: Values = body.view?.state.values ?? {};
    const origin = { ...askedBy(body, ''), channelId: placeOf(deps, memory ?? {}, values) };
    const filler = form && memory ? await admission.know(origin) : undefined;
    const options = form && filler?.kind === 'known' ? await form.options(deps, filler, payload.value).catch(notSaid(deps)) : [];
    await ack({ options: [...options] });
  });
  app.action<BlockAction<BlockElementAction>>(/^meshops-form:/, async ({ ack, body, client }) => {
    await ack();
    const { view } = body;
    const form = formOf(view?.callback_id);
    const memory = memoryIn(view?.private_metadata);
    if (!view || !form || !memory) return;
    const values: Values = view.state.values;
    const filler = await admission.know({ ...askedBy(body, body.trigger_id), channelId: placeOf(deps, memory, values) });
    if (filler.kind !== 'known') return;
    inBackground(deps, 'a form could not be brought up to date', async () => {
      const shown = await form.view(deps, filler, { memory, values });
      // Whoever chose again meanwhile has another hash, and a look of its own.
      await client.views.update({ view_id: view.id, hash: view.hash, view: shown });
    });
  });
}

function notSaid(deps: BotDeps): (error: unknown) => [] {
  return (error) => {
    deps.log.warn({ err: error }, 'a form has nothing to offer: a cluster did not say');
    return [];
  };
}

function hearSubmissions(app: App, deps: BotDeps, admission: Admission): void {
  app.view<ViewSubmitAction>(/^meshops-form:/, async ({ ack, body, view }) => {
    const startedAt = deps.now();
    const form = formOf(view.callback_id);
    const memory = memoryIn(view.private_metadata);
    const values: Values = view.state.values;
    const trigger = 'trigger_id' in body && typeof body.trigger_id === 'string' ? body.trigger_id : view.id;
    const origin = { ...askedBy(body, trigger), channelId: placeOf(deps, memory ?? {}, values) };
    const filler = form && memory ? await admission.know(origin) : refusal('ForgedButton');
    const read = form && filler.kind === 'known' ? readForm(form, filler, values) : undefined;
    if (read && 'errors' in read) await ack({ response_action: 'errors', errors: { ...read.errors } });
    else await ack();
    deps.meter.acked('click', deps.now() - startedAt);
    const show = (answer: Parameters<typeof tell>[2]): Promise<void> =>
      tell(
        deps,
        { channelId: origin.channelId, userId: origin.userId, ...(memory?.channelId === undefined && { direct: true as const }) },
        answer,
      );
    if (filler.kind === 'refused') return show(sayPlain(filler.words));
    if (!read || 'errors' in read) return;
    const full = afterwards(deps, show, () =>
      answerSlash(deps, admission, { origin, command: deps.config().slack.commands.mesh, text: read.text }, show),
    );
    if (full) await show(full);
  });
}

/** What a chosen channel does not allow is said at its field; elsewhere the form did not open. */
function readForm(form: Form, filler: Filler, values: Values): ReturnType<Form['read']> {
  const forbidden = channelIn(values) === undefined ? undefined : filler.rule.refuse(form.command);
  return forbidden ? { errors: { channel: forbidden.words } } : form.read(filler, values);
}

function askedBy(
  body: { readonly user: { readonly id: string }; readonly team?: { readonly id: string } | null; readonly api_app_id?: string },
  triggerId: string,
): Asked {
  return { teamId: body.team?.id ?? '', appId: body.api_app_id, userId: body.user.id, triggerId };
}
