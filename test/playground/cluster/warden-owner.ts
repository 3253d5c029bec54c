// Run by warden.test.ts: a process that starts two children beneath a warden, says their numbers, and waits to be ended.
import { openWarden } from '../../../playground/cluster/warden.ts';

const [dir = '', mode = 'plain'] = process.argv.slice(2);
const interrupted = new AbortController();
const warden = await openWarden({ dir, env: process.env, signal: interrupted.signal, graceMs: 300 });

// The second child ignores SIGTERM and listens on a port, as a server that hangs on its way out.
const stubborn = `process.on('SIGTERM', () => {}); require('net').createServer().listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });`;
const order = { logFile: `${dir}/log`, readyWithinMs: 5000, ready: async () => true };
const mild = await warden.start({ ...order, name: 'mild', command: '/bin/sleep', args: ['600'] });
const hard = await warden.start({
  ...order,
  name: 'hard',
  command: process.execPath,
  args: ['-e', stubborn],
  ready: async () => (await import('node:fs')).readFileSync(`${dir}/log`, 'utf8').includes('port '),
});

if (mode === 'orderly') {
  process.on('SIGINT', () => void warden.stop().then(() => process.exit(130)));
}
process.stdout.write(`${JSON.stringify({ pids: [mild.pid, hard.pid] })}\n`);
setInterval(() => undefined, 1000);
