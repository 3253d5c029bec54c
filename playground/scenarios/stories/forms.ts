import { findElement } from '../../slack/block-kit/elements.ts';
import type { Json } from '../../slack/messages.ts';
import type { Outcome as Shown } from '../../slack/outcome.ts';
import { PEOPLE } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';

/** Stories of commands that are filled in instead of typed, and of the app's Home. */

interface Option extends Json {
  readonly value: string;
}

/** What a field of the operator's open form offers for what was typed. */
async function offered(scene: Scene, viewId: string, field: string, typed: string): Promise<readonly Option[]> {
  const element = { type: 'external_select', action_id: `meshops-form:${field}`, block_id: field };
  const { ack, error }: Shown = await scene.rig.slack.drive.as(PEOPLE.operator).suggest({ viewId }, element, typed);
  must(error === undefined, `the form offers nothing: ${error}`);
  return (ack as { readonly options: readonly Option[] }).options;
}

export const formStories: readonly Scenario[] = [
  {
    name: 'form-and-home',
    story:
      'a canary is begun in a form with live choices and a preview, approved in the Home of a reviewer, and aborted with a reason in that of who asked',
    play: async (scene) => {
      const { drive } = scene.rig.slack;
      const [operator, reviewer] = [drive.as(PEOPLE.operator), drive.as(PEOPLE.reviewer)];
      const typed = await scene.type('/mesh canary');
      const form = operator.views()[0];
      must(form !== undefined, `no form opened: ${typed.shown?.text ?? ''}`);
      const [service] = await offered(scene, form.id, 'service', 'backend/backend');
      must(service?.value === 'demo/backend/backend', `the form does not offer backend: ${JSON.stringify(service)}`);
      await operator.clickInView(form.id, 'meshops-form:service', { value: service, values: { percent: '10' } });
      const shown = (): string => JSON.stringify(operator.views()[0]?.view ?? {});
      await drive.waitFor(() => shown().includes('0% → 10%'), { what: 'the preview of the shares' });
      const wrong = await operator.submitModal(form.id, { service, percent: '10', steps: '5,50' });
      must(wrong.errors?.['steps'] !== undefined, 'steps beyond the share were taken');
      const sent = await operator.submitModal(form.id, { service, percent: '10', soak: '5m', reason: 'new cache' });
      must(sent.ok, `the form was not taken: ${sent.error} ${JSON.stringify(sent.errors ?? {})}`);
      const operation = await scene.operation();
      await operation.phase('waiting');
      await reviewer.openHome();
      const home = () => reviewer.home()?.view['blocks'] as readonly Json[] | undefined;
      await drive.waitFor(() => findElement(home() ?? [], 'meshops:approve'), { what: 'the question in the Home of the reviewer' });
      must(JSON.stringify(home()).includes('new cache'), 'the Home does not say why');
      const began = Date.now();
      await reviewer.clickInView(reviewer.home()?.id ?? '', 'meshops:approve');
      await drive.waitFor(() => findElement(home() ?? [], 'meshops:approve') === undefined, {
        what: 'the Home to show that it is answered',
      });
      const updatedMs = Date.now() - began;
      must(updatedMs < 5_000, `the Home was brought up to date after ${updatedMs} ms`);
      await operation.phase('watching');
      await scene.until(async () => (await scene.weight(CANARY)) === 10, 'the canary to have its share');
      await operator.openHome();
      const own = await drive.waitFor(() => operator.home(), { what: 'the Home of the operator' });
      must(JSON.stringify(own.view).includes('Yours (1)'), 'the Home does not show what is theirs');
      await operator.clickInView(own.id, 'meshops:abort');
      const why = await drive.waitFor(() => operator.views()[0], { what: 'the form that asks why' });
      must(JSON.stringify(why.view).includes('is in place'), 'the form does not say what is in place');
      await operator.submitModal(why.id, { reason: 'seen enough' });
      const outcome = await operation.result();
      must(outcome.kind === 'aborted' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 0, 'the canary still has weight');
      return { operation, extra: { updatedMs } };
    },
  },
];
