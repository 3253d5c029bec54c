import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type GitServer, startGit } from '../../git/server.ts';
import { CHANNEL, type Operation } from '../operation.ts';
import { must, type Scenario } from '../scenario.ts';
import { CANARY, type Scene } from '../scene.ts';
import { approve } from './canary.ts';

/** The story of Git: what an operation left becomes a patch, and `status` says that Git differs until it does not. */

const PROJECT = 'team/deploy';
const FILE = 'apps/backend/gateway.yaml';
const MANIFEST = new URL('../../../manifests/demo/gateway.yaml', import.meta.url);

/** Completes a canary and waits until its thread shows what Git has to do with it. */
async function completed(scene: Scene, line: string): Promise<Operation> {
  const operation = await scene.begin(line);
  await approve(operation);
  const outcome = await operation.result();
  must(outcome.kind === 'completed', `the outcome is ${outcome.kind}: ${outcome.words}`);
  return operation;
}

const threadText = (scene: Scene, operation: Operation): string => JSON.stringify(scene.rig.slack.drive.thread(CHANNEL, operation.ts));

async function status(scene: Scene): Promise<string> {
  const shown = await scene.type('/mesh status backend');
  return `${shown.shown?.text ?? ''} ${scene.heard().at(-1) ?? ''}`;
}

/** The route as the cluster has it, and as a file of Git has it. */
async function weights(scene: Scene, text: string): Promise<{ readonly live: string; readonly git: string }> {
  const of = (route: unknown): string =>
    JSON.stringify(
      (route as { spec: { rules: { backendRefs: { name: string; weight: number }[] }[] } }).spec.rules[0]?.backendRefs.map(
        ({ name, weight }) => [name, weight],
      ),
    );
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { kind: string });
  return { live: of(await scene.route()), git: of(documents.find(({ kind }) => kind === 'HTTPRoute')) };
}

async function asPatch(scene: Scene, git: GitServer): Promise<object> {
  const operation = await completed(scene, '/mesh canary backend 10%');
  const ended = Date.now();
  const { drive } = scene.rig.slack;
  const patch = await drive.waitFor(() => drive.fileText(drive.thread(CHANNEL, operation.ts), `${operation.opId}.patch`), {
    timeoutMs: 20_000,
    what: 'the patch in the thread',
  });
  const handedMs = Date.now() - ended;
  must((await status(scene)).includes('differs from Git'), `status says: ${await status(scene)}`);
  const before = await readFile(MANIFEST, 'utf8');
  await git.git(PROJECT, ['apply', '--check', '-'], patch);
  await git.git(PROJECT, ['apply', '-'], patch);
  const after = await readFile(join(git.clone(PROJECT), FILE), 'utf8');
  const wanted = before.replace('weight: 100', 'weight: 90').replace('weight: 0', 'weight: 10');
  must(after === wanted, `git apply made something else of it: ${after}`);
  const { live, git: inGit } = await weights(scene, after);
  must(live === inGit, `Git has ${inGit}, the cluster ${live}`);
  await git.git(PROJECT, ['commit', '--quiet', '-am', 'As the canary left it']);
  await git.git(PROJECT, ['push', '--quiet', 'origin', 'main']);
  await drive.waitFor(() => threadText(scene, operation).includes('Git agrees with it'), { timeoutMs: 20_000, what: 'that Git agrees' });
  await scene.until(async () => !(await status(scene)).includes('differs from Git'), 'the status to forget it');
  return { handedMs, patchBytes: patch.length };
}

async function asPullRequest(scene: Scene, git: GitServer): Promise<Operation> {
  const operation = await completed(scene, '/mesh canary backend 20%');
  const { drive } = scene.rig.slack;
  await drive.waitFor(() => threadText(scene, operation).includes('Pull request: '), { timeoutMs: 20_000, what: 'the pull request' });
  const [merge] = git.merges;
  must(merge?.from === `meshops/${operation.opId}` && merge.into === 'main', `the pull request is ${JSON.stringify(merge)}`);
  await git.git(PROJECT, ['fetch', '--quiet', 'origin', merge.from]);
  const proposed = await git.git(PROJECT, ['show', `FETCH_HEAD:${FILE}`]);
  const { live, git: inGit } = await weights(scene, proposed);
  must(live === inGit && (await scene.weight(CANARY)) === 20, `the branch has ${inGit}, the cluster ${live}`);
  must((await status(scene)).includes('Pull request'), `status says: ${await status(scene)}`);
  await git.git(PROJECT, ['merge', '--quiet', 'FETCH_HEAD']);
  await git.git(PROJECT, ['push', '--quiet', 'origin', 'main']);
  await drive.waitFor(() => threadText(scene, operation).includes('Git agrees with it'), { timeoutMs: 20_000, what: 'that Git agrees' });
  return operation;
}

const handover: Scenario = {
  name: 'gitops-handover',
  story:
    'a completed canary is a patch for the repository, byte for byte, then a pull request; status says "differs from Git" until it agrees',
  play: async (scene) => {
    const token = 'playground-git-token';
    const git = await startGit({ token });
    const { stack } = scene.rig;
    const tokenFile = join(stack.dir, 'git-token');
    await writeFile(tokenFile, token);
    const repository = await git.create(PROJECT, { [FILE]: await readFile(MANIFEST, 'utf8'), 'README.md': 'The cluster.\n' });
    const rule = { repository, folder: 'apps/{namespace}', tokenFile, check: '1s' };
    try {
      await scene.rig.tune({ settings: { handover: [rule] } });
      const figures = await asPatch(scene, git);
      const apiUrl = `${git.url}/api/v3`;
      await scene.rig.tune({ settings: { handover: [{ ...rule, as: 'pull-request', provider: 'github', apiUrl }] } });
      const operation = await asPullRequest(scene, git);
      return { operation, extra: { ...figures } };
    } finally {
      await scene.rig.tune({});
      await git.stop();
    }
  },
};

export const handoverStories: readonly Scenario[] = [handover];
