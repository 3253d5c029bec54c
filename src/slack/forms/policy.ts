// "Enforce a policy" as a form: workloads with the policy files that were found, and what a dry-run says of the chosen one.
import { dryRunSentences, groupSentence } from '../../domain/policy/dryrun/words.ts';
import { formatTarget, type Target } from '../../domain/target.ts';
import { number, plural, said } from '../../domain/words/words.ts';
import { option } from '../../messages/forms/parts.ts';
import { NO_OBSERVE, POLICY_FORM, type PolicyFormShown, policyForm } from '../../messages/forms/policy.ts';
import type { BotDeps } from '../deps.ts';
import { lintApart } from '../policy/candidate.ts';
import { runDry } from '../policy/run-dry.ts';
import { refuseRead } from '../reading.ts';
import { refusalOf } from '../refusals.ts';
import { isRefused, type Place } from '../rules.ts';
import { channelField } from './channel.ts';
import { allChosenOf, chosenOf, type Filler, type Form, offered, reasonFlag, targetIn, typedTarget } from './parts.ts';

const LOOK_MS = 2_000;
/** A dry-run of a form: what takes longer is for the plan. */
const DRY_RUN_MS = 8_000;
const MOST_NAMESPACES = 20;
const COMMAND = 'policy enforce';
const UNSAID: Pick<PolicyFormShown, 'lines' | 'drops'> = {
  lines: ['Choose a workload: where its policy comes from, and what it would drop, comes here.', '“Plan it” changes nothing.'],
  drops: [],
};

export const POLICY: Form = {
  command: COMMAND,
  callback: POLICY_FORM,
  view: async (deps, filler, { memory, target, values }) => {
    const workload = targetIn(chosenOf(values, 'workload'));
    const shown = workload ? await lookAt(deps, filler, workload) : UNSAID;
    const channel = channelField(deps, memory, values);
    const initial = target && option(`${target.namespace}/${target.name}`, formatTarget(target));
    return policyForm({ memory, ...shown, ...(initial && { workload: initial }), ...(channel && { channel }) });
  },
  options: async (deps, filler, typed) => {
    const found = await Promise.all(
      filler.rule.places.map(async (place) => {
        const spaces = await namespacesOf(deps, filler, place);
        const all = await Promise.all(spaces.map((namespace) => deps.choices.workloads(place.cluster, namespace).catch(() => [])));
        const here = all.flat().toSorted((a, b) => Number(b.source !== undefined) - Number(a.source !== undefined));
        return (await offered(deps, filler, place, 'policies', here, typed)).map(({ namespace, name, source }) =>
          option(`${namespace}/${name}`, `${place.cluster}/${namespace}/${name}`, source ?? 'no policy file'),
        );
      }),
    );
    return found.flat();
  },
  read: (filler, values) => {
    const target = targetIn(chosenOf(values, 'workload'));
    const resolved = target && filler.rule.resolve(target, COMMAND);
    if (!target || !resolved) return { errors: { workload: 'Choose a workload.' } };
    if (isRefused(resolved)) return { errors: { workload: resolved.words } };
    const observe = chosenOf(values, 'observe');
    const accept = allChosenOf(values, 'accept').join(',');
    const window = observe === undefined ? '' : observe === NO_OBSERVE ? ' --no-observe' : ` --window ${observe}`;
    const flags = `${window}${accept === '' ? '' : ` --accept ${accept}`}${reasonFlag(values)}`;
    return { text: `${COMMAND} ${typedTarget(filler, target, COMMAND)}${flags}` };
  },
};

/** The place's own namespace first; of a whole cluster as many as can be looked at in time. */
async function namespacesOf(deps: BotDeps, { rule }: Filler, { cluster, namespace }: Place): Promise<readonly string[]> {
  if (namespace !== undefined) return [namespace];
  const all = await deps.choices.namespaces(cluster);
  return all.filter((one) => !isRefused(rule.resolve({ cluster, namespace: one, name: 'any' }, COMMAND))).slice(0, MOST_NAMESPACES);
}

/** The policy file of the workload, and what it would have dropped of what Hubble still holds. */
async function lookAt(
  deps: BotDeps,
  { actor, rule }: Filler,
  target: Target,
): Promise<Pick<PolicyFormShown, 'lines' | 'drops' | 'warning'>> {
  const resolved = rule.resolve(target, COMMAND);
  const refused = isRefused(resolved) ? resolved : await refuseRead(deps, actor, target, 'policies');
  if (refused) return { lines: [said(refused.words, 600)], drops: [] };
  const found = await deps.policy.candidate(target, AbortSignal.timeout(LOOK_MS)).catch(() => undefined);
  if (!found) return { lines: ['The cluster does not say in time which policy there is. The plan looks again.'], drops: [] };
  if (found.kind === 'refused') return { lines: [said(refusalOf(found.refusal).words, 600)], drops: [] };
  const { candidate } = found;
  const from = `Policy from ${said(candidate.source, 200)}, ${candidate.sha256.slice(0, 8)}.`;
  const [linted, ran] = await Promise.all([
    lintApart(deps, candidate.text),
    runDry(deps, { target, candidate, windowMs: deps.config().policy.window, deadlineMs: DRY_RUN_MS }).catch(() => undefined),
  ]);
  const wrong = linted.findings.filter(({ severity }) => severity === 'error').length;
  if (wrong > 0) return { lines: [from, `The check finds ${plural(wrong, 'error')}: \`policy check\` says which.`], drops: [] };
  if (ran?.kind !== 'ran') return { lines: [from, 'It could not be dry-run in time. The plan does it again.'], drops: [] };
  const { wouldDrop } = ran.run;
  const [first = '', ...rest] = dryRunSentences(ran.run, 1).map((words) => said(words, 600));
  const drops = wouldDrop.map((group) => ({ key: group.key, words: `${number(group.count)}: ${groupSentence(group)}` }));
  const more = [...rest, '“Plan it” changes nothing.'];
  return wouldDrop.length === 0 ? { lines: [from, first, ...more], drops } : { lines: [from, ...more], drops, warning: first };
}
