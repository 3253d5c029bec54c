/** The workflow types, one per verb. Everything that differs between them is in the verb's own file. */
export { canary } from './canary.ts';
export { policy } from './policy.ts';
