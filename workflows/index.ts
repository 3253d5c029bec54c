// The one workflow: whatever its type is called, which is its verb, it is the same lifecycle. What differs are the activities `<verb>.*`.
import { operate } from './operation.ts';

/** Temporal runs the default export for every type that has no export of its own. */
export default operate;
