import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approvedCanary } from './canary.ts';
import { GOOD } from './policy-candidates.ts';
import { propose } from './policy-steps.ts';

/** Stories of what guards the mesh beside the operations: freezes, and giving up an undo. */

const UNDO_BINDING = '/apis/rbac.authorization.k8s.io/v1/namespaces/backend/rolebindings/meshops-undo';

const freeze: Scenario = {
  name: 'freeze',
  story: 'a freeze holds the next stage and refuses a new operation; lifted, it goes on; set again, it stops no undo',
  play: async (scene) => {
    // Long enough that the freeze is there before the first stage is over, however busy the machine is.
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --steps 5,10 --soak 8s');
    try {
      await posted(scene, '/mesh freeze demo 10m release weekend', /is frozen until/);
      await scene.until(async () => (await operation.view()).frozen !== undefined, 'the next stage to wait for the freeze');
      must((await scene.weight(CANARY)) === 5, 'the next stage was written under a freeze');
      await operation.seen((message) => /Frozen/.test(JSON.stringify(message.blocks)), 'the message that says so');
      await propose(scene, GOOD);
      const refused = await (await scene.begin('/policy enforce frontend/frontend --no-observe')).result();
      must(refused.kind === 'impossible' && refused.code === 'Frozen', `the outcome is ${refused.kind} ${refused.code}: ${refused.words}`);
      must(/release weekend/.test(refused.words), `the refusal does not say why: ${refused.words}`);
      await posted(scene, '/mesh unfreeze demo', /ended early.*1 operation goes on/);
      await scene.until(async () => (await scene.weight(CANARY)) === 10, 'the next stage');
      await posted(scene, '/mesh freeze demo 10m once more', /is frozen until/);
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
      const outcome = await operation.result();
      must(outcome.kind === 'rolled-back' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
      return { operation, extra: { refusal: refused.words } };
    } finally {
      await scene.type('/mesh unfreeze demo');
    }
  },
};

const release: Scenario = {
  name: 'release',
  story: 'the bot has lost its right to the route when v2 fails: told with the commands, given up by two approvers, and ended as abandoned',
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 60s');
    const { metadata: _, ...binding } = (await scene.read(UNDO_BINDING)) as { metadata: object };
    await scene.remove(UNDO_BINDING);
    try {
      await said(scene, `/mesh release ${operation.opId}`, /reviewer|only|not|while/i, 'reviewer');
      scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
      const { drive } = scene.rig.slack;
      const note = await drive.waitFor(
        // The question of before calls the group as well, and may still stand as it was where Slack asks to wait.
        () =>
          drive
            .thread('C0MESH', operation.ts)
            .find(({ text, blocks }) => text.includes('<!subteam^S0REVIEWERS>') && JSON.stringify(blocks).includes('kubectl')),
        { timeoutMs: 40_000, what: 'the note that calls the group on call, with the commands' },
      );
      must(/kubectl -n backend patch httproute backend/.test(JSON.stringify(note.blocks)), 'the note has no command for the route');
      must((await scene.weight(CANARY)) === 10, 'the bot has written without a right');
      await said(scene, `/mesh release ${operation.opId}`, /own|yourself|requester|asked/i, 'operator');
      await said(scene, `/mesh release ${operation.opId} the cluster is rebuilt`, /One more approver/, 'reviewer');
      must((await operation.view()).phase === 'restoring', 'one approver was enough');
      await said(scene, `/mesh release ${operation.opId}`, /released/, 'reviewer2');
      const outcome = await operation.result();
      must(outcome.kind === 'abandoned', `the outcome is ${outcome.kind}: ${outcome.words}`);
      must((await scene.weight(CANARY)) === 10, 'something was written after it was given up');
      return { operation, extra: { words: outcome.words } };
    } finally {
      await scene.put(UNDO_BINDING, { ...binding, metadata: { name: 'meshops-undo', namespace: 'backend' } });
    }
  },
};

/** Types a command and waits until the person has been told what matches. */
/** Everybody reads it in the channel, who typed it too: nobody gets a copy. */
async function posted(scene: Scene, line: string, wanted: RegExp): Promise<void> {
  const messages = (): readonly string[] => scene.rig.slack.drive.messages('C0MESH').map(({ text }) => text);
  const before = messages().length;
  const shown = await scene.type(line);
  must(shown.ok && shown.shown === undefined, `Slack said ${shown.error ?? shown.shown?.text}`);
  must(
    messages()
      .slice(before)
      .some((text) => wanted.test(text)),
    `the channel did not read ${wanted} but ${messages().slice(before).join(' | ')}`,
  );
}

async function said(scene: Scene, line: string, wanted: RegExp, person: 'operator' | 'reviewer' | 'reviewer2' = 'operator'): Promise<void> {
  const before = scene.heard(person).length;
  const shown = await scene.type(line, person);
  must(shown.ok, `Slack said ${shown.error}`);
  const heard = (): string | undefined => [shown.shown?.text ?? '', ...scene.heard(person).slice(before)].find((text) => wanted.test(text));
  await scene.poll(
    heard,
    `an answer to ${line} that says ${wanted}; heard was ${JSON.stringify([shown.shown?.text, ...scene.heard(person).slice(before)])}`,
    10_000,
  );
}

export const guardingStories: readonly Scenario[] = [freeze, release];
