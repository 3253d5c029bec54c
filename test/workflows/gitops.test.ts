import { expect, it } from 'vitest';
import type { Note, PlanInput } from '../../src/domain/lifecycle/contract.ts';
import type { Attachment, Plan } from '../../src/domain/lifecycle/plan.ts';
import { decisionOn, FakeMesh, fakes, healthy, request, reviewer, reviewer2, type Watching, watched } from '../support/operations.ts';
import { Simulator } from '../support/simulator.ts';

/** A mesh whose route a GitOps tool applies, as the plans of it say. */
class Applied extends FakeMesh {
  readonly files: string[] = [];
  text: string | undefined;
  /** The file that people read with the plan. */
  file: string | undefined;

  override plan(input: PlanInput, percents: readonly number[]): Plan {
    const file: Attachment = { name: 'gitops-backend.yaml', title: 't', comment: 'c', text: this.text ?? '' };
    const attachment = this.file === undefined ? {} : { attachment: { ...file, text: this.file } };
    return { ...super.plan(input, percents), ...attachment, ...(this.text !== undefined && { gitOps: file }) };
  }
}

async function steps(mesh: Applied): Promise<void> {
  const watching: Watching = (input) => (input.purpose === 'after' ? { never: true } : watched(mesh, input, healthy));
  const percents = ({ request: asked }: PlanInput): readonly number[] => [Number(asked.change['percent'] ?? 0)];
  const say = ({ note }: { note: Note }) => {
    if (note.kind === 'attachment') mesh.files.push(note.attachment.text);
    return { value: undefined };
  };
  const asked = request();
  const simulator = await Simulator.start('canary', asked, { ...fakes(mesh, percents, watching), say: say as never });
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.advance(62_000);
  for (const [percent, text] of [
    [25, mesh.text],
    [50, mesh.text && `${mesh.text} and more`],
  ] as const) {
    mesh.text = text;
    const trigger = `trigger-${percent}`;
    const more = request({ requestId: trigger, text: `canary backend ${percent}%`, change: { kind: 'shift', percent } });
    await simulator.update('begin', { ...more, requester: reviewer2, validUntil: simulator.now + 60_000 });
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(62_000);
  }
}

it('how a GitOps tool leaves the change alone is said with the plan, and again only where it is another', async () => {
  const mesh = new Applied();
  mesh.text = 'suspend it';
  await steps(mesh);
  expect(mesh.applied).toEqual(['10%', '25%', '50%']);
  expect(mesh.files).toEqual(['suspend it', 'suspend it and more']);
});

it('the file of a plan comes into its thread, however quick the plan was', async () => {
  const mesh = new Applied();
  mesh.file = 'the policy';
  await steps(mesh);
  expect(mesh.files).toEqual(['the policy', 'the policy', 'the policy']);
});

it('nothing is said where no tool applies it', async () => {
  const mesh = new Applied();
  await steps(mesh);
  expect(mesh.applied).toEqual(['10%', '25%', '50%']);
  expect(mesh.files).toEqual([]);
});
