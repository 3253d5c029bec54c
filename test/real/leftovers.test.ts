import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { whyNotReal } from '../../playground/real/able.ts';
import { machine, marked, nothingLeft } from './support/machine.ts';

/** Whatever becomes of the process that started real nodes, nothing of them is left on the machine. */
const PROGRAM = fileURLToPath(new URL('./support/nodes.ts', import.meta.url));
const PLAYGROUND = fileURLToPath(new URL('../../playground/main.ts', import.meta.url));
const PORT = 4_817;
const LONG_MS = 300_000;

function started(args: readonly string[], mark: string): ChildProcess {
  const [name = '', value = ''] = mark.split('=');
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, [name]: value } });
}

/** What a program says until `enough`, or until its end. */
function heard(child: ChildProcess, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (enough(text)) resolve(text);
    });
    child.once('exit', () => resolve(text));
  });
}

describe.skipIf(whyNotReal(process.env) !== undefined)('after real nodes', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'nothing is left when what started them gets %s',
    async (signal) => {
      const before = machine();
      const mark = `MESHOPS_TEST_MARK=${signal}-${process.pid}`;
      const child = started([PROGRAM], mark);
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const said = JSON.parse(await heard(child, (text) => text.includes('\n')));
      expect(said).toMatchObject({ pins: expect.any(Number), pods: 13 });
      expect(said.pins).toBeGreaterThan(0);
      expect(marked(mark).length).toBeGreaterThan(3);
      child.kill(signal);
      await exited;
      await nothingLeft(mark, before);
    },
    LONG_MS,
  );

  it(
    'nothing is left of the playground on three of them, whose page had answered',
    async () => {
      const before = machine();
      const mark = `MESHOPS_TEST_MARK=page-${process.pid}`;
      const child = started([PLAYGROUND, '--real', '--nodes', '3', '--port', String(PORT)], mark);
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const page = `http://127.0.0.1:${PORT}/`;
      expect(await heard(child, (text) => text.includes('Ctrl-C'))).toContain(`open ${page}`);
      expect(await (await fetch(page)).text()).toContain('<html');
      const act = { do: 'panel', id: 'errors', value: 0 };
      const answer = await fetch(`${page}page/act`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(act),
      });
      expect(await answer.json()).toMatchObject({ state: { weights: [{ route: 'backend/backend' }] } });
      child.kill('SIGINT');
      await exited;
      await nothingLeft(mark, before);
      await expect(fetch(page)).rejects.toThrow();
    },
    LONG_MS,
  );
});
