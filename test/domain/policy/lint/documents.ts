// One broken document for each rule of the lint, and documents that say what they mean.
import { BELIEVED } from './documents/believed.ts';
import type { BrokenDocument } from './documents/build.ts';
import { FIELD } from './documents/field.ts';
import { PARTS } from './documents/parts.ts';
import { WHOLE } from './documents/whole.ts';

export { policy } from './documents/build.ts';
export { RIGHT } from './documents/right.ts';

export const BROKEN: readonly BrokenDocument[] = [...BELIEVED, ...PARTS, ...WHOLE, ...FIELD];
