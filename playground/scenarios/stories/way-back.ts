import type { Message } from '../../slack/messages.ts';
import { CHANNEL, type Operation, type PersonName } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approve, approvedCanary } from './canary.ts';
import { underWatch } from './workers.ts';

/** Stories of the way back: it raises nobody, and its buttons hold for their own operation alone. */

/** A machine too busy to hear in time proves nothing against v2: a reviewer goes on then. */
async function completed(operation: Operation): Promise<void> {
  for (let holds = 0; (await operation.anyPhase(['holding', 'over'], 120_000)).phase === 'holding'; holds += 1) {
    must(holds < 5, 'it is held again and again');
    await operation.press('reviewer', 'meshops:continue');
    await operation.leave('holding');
  }
  const outcome = await operation.result();
  must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
  await operation.seen((message) => offers(message).includes('meshops:next-rollback'), 'the button that rolls it back');
}

/** The buttons of a message that begin something new. */
function offers({ blocks }: Message): readonly string[] {
  return [...JSON.stringify(blocks ?? []).matchAll(/"meshops:next-[a-z]+"/g)].map(([id]) => id.slice(1, -1));
}

/** What a person is told by a command or a click. */
async function told(scene: Scene, person: PersonName, act: () => Promise<unknown>, wanted: RegExp): Promise<string> {
  const before = scene.heard(person).length;
  await act();
  return scene.poll(
    () =>
      scene
        .heard(person)
        .slice(before)
        .find((text) => wanted.test(text)),
    `a word for the ${person} that says ${wanted}; heard was ${scene.heard(person).slice(before).join(' | ')}`,
    10_000,
  );
}

/** The message as somebody still sees it whose window has not heard of the last edit. */
async function asItWas(scene: Scene, { ts, text, blocks, metadata }: Message): Promise<void> {
  const { apiUrl, botToken } = scene.rig.slack;
  const answer = await fetch(`${apiUrl}chat.update`, {
    method: 'POST',
    headers: { authorization: `Bearer ${botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channel: CHANNEL, ts, text, blocks, metadata }),
  });
  must(((await answer.json()) as { ok: boolean }).ok, 'the message could not be shown as it was');
}

const twice: Scenario = {
  name: 'rollback-twice',
  story:
    '10% completed, then v2 fails: rolled back; a second responder, and the button, are told that it is back, and nobody is harmed again',
  play: async (scene) => {
    const operation = await approvedCanary(scene);
    await completed(operation);
    const seen = operation.root();
    scene.break(({ cilium }) => cilium.faults.errorRate(CANARY, 1));
    const back = await scene.begin('/mesh rollback backend');
    const outcome = await back.result();
    must(outcome.kind === 'completed' && (await scene.weight(CANARY)) === 0, `the first rollback is ${outcome.kind}: ${outcome.words}`);
    must(!/healthy/.test(outcome.words) && /not watched/.test(outcome.words), `nobody watched, and the words are: ${outcome.words}`);
    must(outcome.now === 'backend 100%, backend-canary 0%', `what there is now is told as ${outcome.now}`);
    const since = Date.now() + 1_000;
    await scene.type('/mesh freeze demo 10m incident');
    try {
      const words = await told(scene, 'reviewer', () => scene.type('/mesh rollback backend', 'reviewer'), /rolled back already/);
      await operation.seen((message) => offers(message).length === 0, 'the old message without its buttons');
      await asItWas(scene, seen);
      await told(scene, 'reviewer', () => operation.press('reviewer', 'meshops:next-rollback'), /rolled back already/);
      await scene.wait(3_000);
      must((await scene.weight(CANARY)) === 0, 'the canary has weight again');
      must(scene.newRoots().length === 2, `there are ${scene.newRoots().length} operations`);
      const { failed } = scene.rig.cilium.truth.counts(since, Number.POSITIVE_INFINITY, CANARY);
      must(failed === 0, `${failed} requests were harmed after the rollback`);
      return { operation: back, extra: { words } };
    } finally {
      await scene.type('/mesh unfreeze demo');
    }
  },
};

const oldButton: Scenario = {
  name: 'rollback-button-old',
  story:
    'two canaries completed: the button of the first is gone, and pressed all the same it is refused; that of the second rolls back once',
  play: async (scene) => {
    const first = await approvedCanary(scene);
    await completed(first);
    const seen = first.root();
    const second = await scene.begin('/mesh canary backend 25% --steps 25');
    await approve(second);
    await completed(second);
    await first.seen((message) => offers(message).length === 0, 'the first message without its buttons');
    await asItWas(scene, seen);
    for (const button of ['meshops:next-rollback', 'meshops:next-promote']) {
      await told(
        scene,
        'operator',
        () => first.press('operator', button),
        new RegExp(`belongs to ${first.opId}, but ${second.opId} has completed`),
      );
      // The press has taken the buttons off again.
      await first.seen((message) => offers(message).length === 0, 'the first message without its buttons after the press');
      await asItWas(scene, seen);
    }
    must((await scene.weight(CANARY)) === 25, 'an old button has changed the mesh');
    const known = new Set(scene.newRoots().map(({ ts }) => ts));
    const shown = second.root();
    must((await second.press('operator', 'meshops:next-rollback')).ok, 'the button of the last operation was not taken');
    const back = await scene.operation(20_000, known);
    await back.result();
    must((await scene.weight(CANARY)) === 10, 'the canary has not what it had before the second operation');
    await second.seen((message) => offers(message).length === 0, 'the second message without its buttons');
    await asItWas(scene, shown);
    await told(scene, 'operator', () => second.press('operator', 'meshops:next-rollback'), /rolled back already/);
    await scene.wait(2_000);
    must((await scene.weight(CANARY)) === 10, 'pressed twice, it went back and forth');
    must(scene.newRoots().length === 3, `there are ${scene.newRoots().length} operations`);
    return { operation: back };
  },
};

/** Pods of the demo's backend. */
const STABLE_PODS = 3;

const toNobody: Scenario = {
  name: 'abort-to-nobody',
  story:
    'the old version is scaled away while 10% is watched: an abort asks first, and is done by itself as soon as the old version is there again',
  play: async (scene) => {
    const operation = await approvedCanary(scene, '/mesh canary backend 10% --soak 120s');
    await underWatch(scene, operation);
    await scene.scale('backend', 'backend', 0);
    try {
      await scene.until(async () => (await readyOf(scene)) === 0, 'the old version to be gone');
      must((await scene.type('/mesh abort backend', 'reviewer')).ok, 'the abort was not taken');
      await operation.seen(({ text }) => text.includes('rollback held'), 'the message to say that the rollback waits');
      await operation.seen(({ blocks }) => JSON.stringify(blocks).includes('Roll back anyway'), 'the button that does it all the same');
      must((await scene.weight(CANARY)) === 10, 'everybody was sent to nobody');
    } finally {
      await scene.scale('backend', 'backend', STABLE_PODS);
    }
    await scene.until(async () => (await scene.weight(CANARY)) === 0, 'the rollback', 30_000);
    const outcome = await operation.result();
    must(outcome.kind === 'aborted' && outcome.restoredExactly === true, `the outcome is ${outcome.kind}: ${outcome.words}`);
    return { operation };
  },
};

async function readyOf(scene: Scene): Promise<number> {
  const path = '/apis/discovery.k8s.io/v1/namespaces/backend/endpointslices?labelSelector=kubernetes.io/service-name%3Dbackend';
  const { items } = (await scene.read(path)) as {
    items: readonly { endpoints?: readonly { conditions?: { ready?: boolean } }[] | null }[];
  };
  return items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length;
}

export const wayBackStories: readonly Scenario[] = [twice, oldButton, toNobody];
