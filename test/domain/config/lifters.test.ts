import { expect, it } from 'vitest';
import { liftersOf } from '../../../src/domain/config/lifters.ts';

function gate(email: string, where: { clusters?: string[]; namespaces?: string[] } = {}) {
  return {
    ...where,
    above: 0,
    approvers: { usergroups: [], emails: [email] },
    quorum: 1,
    rollbackWithin: 86_400_000,
    expiry: 1,
  };
}
const gates = [
  gate('all@example.com'),
  gate('demo@example.com', { clusters: ['demo'] }),
  gate('shop@example.com', { clusters: ['demo'], namespaces: ['shop'] }),
];

it.each([
  ['*', ['all']],
  ['demo', ['all', 'demo']],
  ['edge', ['all']],
  ['demo/shop', ['all', 'demo', 'shop']],
  ['demo/shop/web', ['all', 'demo', 'shop']],
  ['demo/other', ['all', 'demo']],
])('%s: %j', (scope, names) => {
  expect(liftersOf(gates, scope)?.emails).toEqual(names.map((name) => `${name}@example.com`));
});

it('where no rule covers all of the scope, the rules of its parts count; where none is in it, nobody is named', () => {
  const [, , shop] = gates;
  const only = shop ? [shop] : [];
  expect(liftersOf(only, '*')?.emails).toEqual(['shop@example.com']);
  expect(liftersOf(only, 'demo')?.emails).toEqual(['shop@example.com']);
  expect(liftersOf(only, 'edge')).toBeUndefined();
  expect(liftersOf(only, 'demo/other')).toBeUndefined();
  expect(liftersOf([], '*')).toBeUndefined();
});
