// The form of `/mesh freeze`.
import { covers, isScope } from '../../domain/lifecycle/freeze.ts';
import { targetOf } from '../../domain/target.ts';
import { FREEZE_FORM, freezeForm, freezeLines } from '../../messages/forms/freeze.ts';
import { option } from '../../messages/forms/parts.ts';
import type { BotDeps } from '../deps.ts';
import { mayRead } from '../rights.ts';
import { channelField } from './channel.ts';
import { chosenOf, type Filler, type Form, textOf } from './parts.ts';

const COMMAND = 'freeze';
/** Slack takes so many options. */
const MOST_OPTIONS = 100;

export const FREEZE: Form = {
  command: COMMAND,
  callback: FREEZE_FORM,
  view: async (deps, _filler, { memory, values }) => {
    const scope = chosenOf(values, 'scope');
    const channel = channelField(deps, memory, values);
    return freezeForm({
      memory,
      lines: freezeLines(scope === undefined ? undefined : await runningIn(deps, scope)),
      ...(channel && { channel }),
    });
  },
  options: async (deps, filler, typed) => {
    const wanted = typed.trim().toLowerCase();
    const offered = (await scopesOf(deps, filler)).filter((scope) => nameOf(scope).toLowerCase().includes(wanted));
    // A name that is typed out is one as well: what it names is looked for when it is set.
    const own = isScope(wanted) && !offered.includes(wanted) && wanted !== '*' ? [wanted] : [];
    return [...offered, ...own].slice(0, MOST_OPTIONS).map((scope) => option(nameOf(scope), scope));
  },
  read: (_filler, values) => {
    const [scope, length] = [chosenOf(values, 'scope'), chosenOf(values, 'length')];
    const reason = textOf(values, 'reason')
      ?.replaceAll(/\s+/g, ' ')
      .replaceAll(/["“”„‟«»]/g, "'");
    const errors = {
      ...((scope === undefined || !isScope(scope)) && { scope: 'Choose what is to be frozen.' }),
      ...(length === undefined && { length: 'Choose for how long.' }),
      ...(!reason && { reason: 'Say why: everybody who is stopped reads it.' }),
    };
    if (Object.keys(errors).length > 0) return { errors };
    return { text: `${COMMAND} ${scope} ${length} ${reason}` };
  },
};

function nameOf(scope: string): string {
  return scope === '*' ? 'Everything' : scope;
}

/** What this channel may name, and this person read: everything only where nothing confines it. */
async function scopesOf(deps: BotDeps, { actor, rule }: Filler): Promise<readonly string[]> {
  const confined = rule.places.some(({ namespace }) => namespace !== undefined);
  const places = rule.places.map(({ cluster, namespace }) => (namespace === undefined ? cluster : `${cluster}/${namespace}`));
  const found = await Promise.all(
    rule.places.map(async ({ cluster, namespace }) => {
      const routes = await deps.choices.routes(cluster, namespace);
      const all = [...new Set(routes.map(({ metadata }) => metadata.namespace))];
      const may = await Promise.all(all.map((one) => mayRead(deps, actor, { cluster, namespace: one }, 'routes')));
      return all.filter((_, at) => may[at]).map((one) => `${cluster}/${one}`);
    }),
  ).catch(() => []);
  return [...new Set([...(confined ? [] : ['*']), ...places, ...found.flat()])];
}

async function runningIn({ operations }: BotDeps, scope: string): Promise<number | undefined> {
  const running = await operations.listRunning().catch(() => undefined);
  return running?.filter((at) => {
    const target = targetOf(at);
    return target !== undefined && covers(scope, target);
  }).length;
}
