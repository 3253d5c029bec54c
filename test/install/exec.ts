// `kubectl exec deployment/<name> -- <command…>` without a kubelet: the command runs here, as in the pod. Its first argument: a file with what is otherwise here.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Here, podOf } from './pod.ts';

const [hereFile = '', ...words] = process.argv.slice(2);
const here = JSON.parse(readFileSync(hereFile, 'utf8')) as Here;
const name = words.find((word) => word.startsWith('deployment/'))?.slice('deployment/'.length) ?? '';
const command = words.slice(words.indexOf('--') + 1);
const { env, configFile } = await podOf(name, here);
const [, ...args] = command.map((word) => (word === '/etc/meshops/config/meshops.yaml' ? configFile : word));
if (command[0] !== 'node') throw new Error(`Only node is in the image, not ${command[0]}.`);
const { status } = spawnSync(process.execPath, args, {
  cwd: fileURLToPath(new URL('../../', import.meta.url)),
  stdio: 'inherit',
  env: { PATH: process.env['PATH'] ?? '', ...env },
});
process.exitCode = status ?? 1;
