import { join } from 'node:path';
import { readEnvironment } from '../../../src/config/environment.ts';
import { readConfigFile } from '../../../src/config/read.ts';
import type { Found } from '../../../src/doctor/checks.ts';
import { examine } from '../../../src/doctor/examine.ts';
import { must, type Scenario } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** The story of what is missing: doctor says it, with what to do, on the command line and in Slack. */

const CONFIG = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
const UNDO = '/apis/rbac.authorization.k8s.io/v1/namespaces/backend/rolebindings';

async function patch(scene: Scene, path: string, body: object): Promise<void> {
  const contentType = 'application/merge-patch+json';
  const signal = AbortSignal.timeout(5_000);
  const answer = await scene.rig.stack.kube.api({ method: 'PATCH', path, body: JSON.stringify(body), contentType, signal });
  must(answer.status === 200, `${path} was not changed (${answer.status}): ${answer.body.slice(0, 300)}`);
}

/** What the command line's doctor finds, with the configuration of the bot. */
async function found(scene: Scene, process: 'run' | 'worker' = 'run'): Promise<ReadonlyMap<string, Found>> {
  const { stack, bot, slack } = scene.rig;
  const read = await readConfigFile(join(stack.dir, `${bot.name}.yaml`));
  must(read.ok, 'the configuration of the bot is wrong');
  const environment = readEnvironment({ SLACK_BOT_TOKEN: slack.botToken, SLACK_SIGNING_SECRET: slack.signingSecret });
  const all = await examine(environment, read.config, process, AbortSignal.timeout(20_000));
  return new Map(all.map((one) => [one.name, one]));
}

function missingIn(all: ReadonlyMap<string, Found>): readonly string[] {
  return [...all.values()].filter(({ state }) => state === 'missing').map(({ name, words }) => `${name}: ${words}`);
}

/** What a person reads in Slack. */
async function inSlack(scene: Scene): Promise<string> {
  const before = scene.heard('reviewer').length;
  await scene.type('/mesh doctor', 'reviewer');
  return scene.poll(
    () =>
      scene
        .heard('reviewer')
        .slice(before)
        .find((text) => /checks failed|needs is there/.test(text)),
    'the answer of doctor',
    30_000,
  );
}

const doctor: Scenario = {
  name: 'doctor',
  story: 'everything is there; then the L7 proxy is off, the cohort label is left out and a right is missing: each is said with what to do',
  play: async (scene) => {
    const good = await found(scene);
    must(missingIn(good).length === 0, `missing: ${missingIn(good).join(' | ')}`);
    must((await inSlack(scene)).includes('Everything that meshops needs is there'), 'Slack says otherwise');
    const before = ((await scene.read(CONFIG)) as { data: Record<string, string> }).data;
    const bindings = ((await scene.read(UNDO)) as { items: { metadata: { name: string }; roleRef: { name: string } }[] }).items;
    const undo = bindings.find(({ roleRef }) => roleRef.name === 'meshops-undo');
    must(undo !== undefined, 'there is no binding of the undo');
    try {
      await patch(scene, CONFIG, { data: { 'enable-l7-proxy': 'false', labels: 'k8s:app k8s:io.kubernetes.pod.namespace' } });
      await scene.remove(`${UNDO}/${undo.metadata.name}`);
      // The authorizer learns of it by a watch.
      await scene.until(
        async () => (await found(scene, 'worker')).get('demo: rights to undo')?.state === 'missing',
        'the missing right to be seen',
      );
      const bad = await found(scene, 'worker');
      const said = missingIn(bad);
      must(said.length === 3, `missing: ${said.join(' | ')}`);
      must((bad.get('demo: visibility')?.todo ?? '').includes('l7Proxy=true'), JSON.stringify(bad.get('demo: visibility')));
      must((bad.get('demo: cohort label')?.todo ?? '').includes('k8s:meshops.dev/cohort'), JSON.stringify(bad.get('demo: cohort label')));
      must((bad.get('demo: rights to undo')?.words ?? '').includes('patch httproutes'), JSON.stringify(bad.get('demo: rights to undo')));
      const shown = await inSlack(scene);
      must(shown.includes('l7Proxy=true') && shown.includes('--process worker'), `Slack says: ${shown}`);
      return {
        extra: { checks: good.size, said, remarks: [...good.values()].filter(({ state }) => state === 'remark').map(({ name }) => name) },
      };
    } finally {
      const { labels = null, 'enable-l7-proxy': proxy = null } = before as { labels?: string; 'enable-l7-proxy'?: string };
      await patch(scene, CONFIG, { data: { 'enable-l7-proxy': proxy, labels } });
      const { metadata, ...rest } = undo as unknown as { metadata: { name: string; namespace: string } };
      const { name, namespace } = metadata;
      await scene.put(`${UNDO}/${name}`, {
        ...rest,
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name, namespace },
      });
    }
  },
};

export const doctorStories: readonly Scenario[] = [doctor];
