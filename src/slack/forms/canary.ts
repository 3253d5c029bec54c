// "Start a canary" as a form: Services that routes split, and what a share means for each of them.
import { previewShares, splittable } from '../../domain/canary/preview.ts';
import { FLAGS } from '../../domain/commands/flags.ts';
import { formatTarget } from '../../domain/target.ts';
import { formatPercent, parsePercent } from '../../domain/words/percent.ts';
import { CANARY_FORM, canaryForm, canaryLines } from '../../messages/forms/canary.ts';
import { option } from '../../messages/forms/parts.ts';
import { isRefused } from '../rules.ts';
import { channelField } from './channel.ts';
import { chosenOf, type Form, offered, reasonFlag, targetIn, textOf, typedTarget, type Values } from './parts.ts';

const COMMAND = 'canary';

export const CANARY: Form = {
  command: COMMAND,
  callback: CANARY_FORM,
  view: async (deps, { rule }, { memory, target, values }) => {
    const service = targetIn(chosenOf(values, 'service')) ?? target;
    const percent = percentIn(values);
    const known = service !== undefined && percent !== undefined;
    const routes = known ? await deps.choices.routes(service.cluster, service.namespace).catch(() => undefined) : undefined;
    const shares = routes && known ? previewShares(routes, service, percent) : undefined;
    const gates = known ? rule.settings(service, COMMAND, {}).gates.filter(({ above }) => above <= percent / 100) : undefined;
    const channel = channelField(deps, memory, values);
    return canaryForm({
      memory,
      lines: canaryLines(shares, gates),
      ...(target && { service: option(`${target.namespace}/${target.name}`, formatTarget(target)) }),
      ...(channel && { channel }),
    });
  },
  options: async (deps, filler, typed) => {
    const found = await Promise.all(
      filler.rule.places.map(async (place) => {
        const routes = await deps.choices.routes(place.cluster, place.namespace);
        const here = splittable(routes).filter(
          ({ namespace, name }) => !isRefused(filler.rule.resolve({ ...place, namespace, name }, COMMAND)),
        );
        const shown = await offered(deps, filler, place, 'routes', here, typed);
        return shown.map(({ namespace, name, canary, share }) =>
          option(`${namespace}/${name}`, `${place.cluster}/${namespace}/${name}`, `${canary} has ${formatPercent(share)}`),
        );
      }),
    );
    return found.flat();
  },
  read: (filler, values) => {
    const target = targetIn(chosenOf(values, 'service'));
    const resolved = target && filler.rule.resolve(target, COMMAND);
    const percent = percentIn(values);
    const steps = textOf(values, 'steps')?.replaceAll(/\s/g, '');
    const read = steps === undefined ? undefined : FLAGS.steps(steps);
    const beyond = read?.kind === 'value' ? read.options.steps?.some((step) => percent !== undefined && step > percent) : false;
    const errors = {
      ...(resolved && isRefused(resolved) && { service: resolved.words }),
      ...(percent === undefined && { percent: 'Expected a percent from 0 to 100, in steps of 0.1.' }),
      ...(read?.kind === 'refused' && { steps: read.words.replaceAll('`', '') }),
      ...(beyond && { steps: `These go beyond the ${textOf(values, 'percent')}% that is asked for.` }),
    };
    if (Object.keys(errors).length > 0 || !target) return { errors: { ...(!target && { service: 'Choose a Service.' }), ...errors } };
    const soak = chosenOf(values, 'soak');
    const flags = `${steps === undefined ? '' : ` --steps ${steps}`}${soak === undefined ? '' : ` --soak ${soak}`}${reasonFlag(values)}`;
    return { text: `${COMMAND} ${typedTarget(filler, target, COMMAND)} ${percent}%${flags}` };
  },
};

function percentIn(values: Values | undefined): number | undefined {
  const text = textOf(values, 'percent');
  const percent = text === undefined ? undefined : parsePercent(text.endsWith('%') ? text : `${text}%`);
  return typeof percent === 'number' ? percent : undefined;
}
