/** Promises that the product is known to break still, by name; to be emptied. */
export const OPEN: readonly string[] = [
  'what is in force is watched',
  'harm is undone',
  'one budget for one operation',
  'as approved or exactly as before',
  'nothing healthy is undone because a helper is away',
  'every operation ends',
  'the audit record tells the whole story',
  'no target held by an operation that is over',
  'history stays small',
  'the server ends no run',
  'what the outcome says is true',
  'every refusal is true',
  'no flow is decided otherwise on the way',
  'a policy operation leaves nothing behind',
  // Of policies: they still count every node of the cluster.
  'only nodes that matter blind',
];
