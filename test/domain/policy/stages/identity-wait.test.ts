import { expect, test } from 'vitest';
import { identityWaitMs } from '../../../../src/domain/policy/stages/identity-wait.ts';

test.each([
  ['the defaults of Cilium where the configuration says nothing', {}, 35_000],
  ['no jitter', { 'identity-max-jitter': '0s' }, 5_000],
  ["both as they are written, in Go's form", { 'identity-max-jitter': '1m0s', 'identity-change-grace-period': '10s' }, 70_000],
  ['the default of what cannot be read', { 'identity-max-jitter': 'soon' }, 35_000],
])('a label takes as long to become an identity as %s', (_, config, expected) => {
  expect(identityWaitMs(config)).toBe(expected);
});
