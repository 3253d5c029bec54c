import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { textOf } from './files.ts';

it('LICENSE is the text of Apache-2.0, word by word', () => {
  const hash = createHash('sha256').update(textOf('LICENSE')).digest('hex');
  expect(hash).toBe('cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30');
});
