import { expect, test } from 'vitest';
import { parseCommand } from '../../../src/domain/commands/parse.ts';
import { concludeOperation } from '../../../src/domain/lifecycle/outcome.ts';
import { recordOf } from '../../../src/domain/verb.ts';

test.each([
  [{ kind: 'on', mode: 'wireguard' }, { kind: 'off' }],
  [{ kind: 'off' }, { kind: 'on', mode: 'wireguard' }],
  [
    { kind: 'on', mode: 'wireguard', window: true },
    { kind: 'off', window: true },
  ],
  [
    { kind: 'off', window: true },
    { kind: 'on', mode: 'wireguard', window: true },
  ],
])('after %j the outcome offers what takes it back, and it works as typed', (change, back) => {
  const wayBack = recordOf('encryption').typedBack?.(change) ?? '';
  const { words } = concludeOperation({ kind: 'completed', code: 'Completed', wayBack }, undefined);
  expect(words).toContain(`${wayBack} rolls it back.`);
  const [root = '', ...rest] = wayBack.slice(1).split(' ');
  expect(parseCommand(rest.join(' '), { root: root as 'encryption' })).toMatchObject({ kind: 'change', change: back });
});
