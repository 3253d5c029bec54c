import type { Json } from '../json.ts';
import { type Original, TOKEN_ANNOTATION } from './plan.ts';

/** What an operator types to put one object back by hand, exactly: one JSON patch for the fields and the token. */
export function undoCommand(original: Original): string {
  const { kind, namespace, name } = original.object;
  const patches: { op: string; path: string; value?: Json }[] = Object.entries(original.fields).map(([path, value]) =>
    value === null ? { op: 'remove', path } : { op: 'add', path, value },
  );
  const path = `/metadata/annotations/${TOKEN_ANNOTATION.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  patches.push(original.token === null ? { op: 'remove', path } : { op: 'add', path, value: original.token });
  // A single quote cannot occur in Kubernetes names; in values it would end the shell's string.
  const json = JSON.stringify(patches).replaceAll("'", String.raw`\u0027`);
  return `kubectl -n ${namespace} patch ${kind.toLowerCase()} ${name} --type=json -p '${json}'`;
}
