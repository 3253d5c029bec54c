// Runs a script of this repository with the Node and the packages that package-lock.json names, installing them first when they
// are not there: `node playground/with-deps.mjs <script> [arguments…]`. Needs nothing itself but Node 20 and npm.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const lockFile = join(root, '.playground', 'npm.lock');
const OLDEST_NODE = [22, 19];

class Refusal extends Error {}

const readPackages = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Whether node_modules is what package-lock.json says, by the list that npm writes there when an installation is complete. */
export const isInstalled = (wanted, installed) =>
  installed !== undefined &&
  Object.entries(wanted).every(([path, entry]) => {
    const there = installed[path];
    // Optional packages are for other platforms as often as not.
    return path === '' || entry.link === true || (there === undefined ? entry.optional === true : there.version === entry.version);
  });

const installedNow = () =>
  isInstalled(readPackages(join(root, 'package-lock.json')) ?? {}, readPackages(join(modules, '.package-lock.json')));

const holderIsAlive = () => {
  try {
    process.kill(Number(readFileSync(lockFile, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** One installation at a time: another `npm run` beside this one waits and finds the packages there. */
const locked = async (work) => {
  mkdirSync(dirname(lockFile), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      // A second look, so that a lock which is just being written is not taken for an abandoned one.
      await sleep(300);
      if (!holderIsAlive()) rmSync(lockFile, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
};

/** Resolves with the exit code; rejects when the program does not exist. */
const exitOf = (child) =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });

const install = async () => {
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  const say = (text, end) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${text}${end}` : `${text}\n`);
  say('… npm packages', '');
  const ticks = setInterval(() => say(`… npm packages (${seconds()} s)`, ''), process.stderr.isTTY ? 1000 : 15_000);
  // Errors only: npm warns that the machine's Node is older than the one it is about to install.
  // `npm ci` refuses a lock that leaves out packages of other platforms; this installs what the lock says and saves nothing.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const child = spawn(npm[0], [...npm.slice(1), ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  let heard = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    heard = (heard + text).slice(-4000);
  });
  const stop = () => child.kill('SIGTERM');
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const { code } = await exitOf(child)
    .catch(() => {
      throw new Refusal('npm was not found. Install Node 20 or later with npm, then start again.');
    })
    .finally(() => {
      clearInterval(ticks);
      process.off('SIGINT', stop).off('SIGTERM', stop);
    });
  if (code !== 0) {
    const why = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|network/.test(heard)
      ? 'the npm registry cannot be reached from here'
      : 'npm install failed';
    throw new Refusal(`The packages could not be installed: ${why}. Nothing was started.\n${heard.trim()}`);
  }
  if (!installedNow()) {
    say('', '');
    throw new Refusal(
      'The installed packages differ from package-lock.json: it and package.json disagree. Restore both files, then start again.',
    );
  }
  say(`✓ npm packages installed (${seconds()} s)`, '\n');
};

const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
};

/** The Node of package `node`; where npm ran no install scripts its link is missing, so the package behind it is asked as well. */
const findNode = () => {
  const arch = `node-linux-${process.arch}`;
  const candidates = [join(modules, '.bin/node'), join(modules, 'node/bin/node'), join(modules, arch, 'bin/node'), process.execPath];
  const works = (path) => existsSync(path) && isNewEnough(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '');
  const found = candidates.find(works);
  if (found !== undefined) return found;
  throw new Refusal(
    `No Node ${OLDEST_NODE.join('.')} or later: this machine has ${process.version}, and the npm packages bring one only for Linux x64 and arm64. Install a newer Node, then start again.`,
  );
};

/** Young objects that live are copied while everything waits: of a small part of memory that takes milliseconds, so that fuses fire in time. */
const AS_IN_THE_IMAGE = ['--max-semi-space-size=8'];

const start = (node, script, args) => {
  const path = [dirname(node), join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
  const command = [node, '--disable-warning=ExperimentalWarning', ...AS_IN_THE_IMAGE, join(root, script), ...args];
  // Should this process be killed outright, the kernel tells the script, which then stops what it started.
  const hasSetpriv = process.platform === 'linux' && spawnSync('setpriv', ['--version']).status === 0;
  const [program, ...rest] = hasSetpriv ? ['setpriv', '--pdeathsig', 'TERM', '--', ...command] : command;
  return spawn(program, rest, { stdio: 'inherit', env: { ...process.env, PATH: path } });
};

const main = async ([script, ...args]) => {
  if (script === undefined) throw new Refusal('Which script? node playground/with-deps.mjs <script> [arguments…]');
  if (!installedNow()) await locked(async () => (installedNow() ? undefined : install()));
  const child = start(findNode(), script, args);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGTERM'));
  // A terminal gives Ctrl-C to the whole group: forwarded too, the script would hear it twice.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  const parent = process.ppid;
  // npm killed outright does not take its script along; that npm is gone shows in the parent's number.
  const orphaned = () => process.ppid !== parent && child.kill('SIGTERM');
  const watch = process.env.npm_lifecycle_event === undefined ? undefined : setInterval(orphaned, 500);
  const { code, signal } = await exitOf(child).finally(() => clearInterval(watch));
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
};

// Imported by its tests as well.
if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) {
  await main(process.argv.slice(2)).catch((error) => {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
