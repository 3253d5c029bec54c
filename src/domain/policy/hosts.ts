import { isObject, type JsonObject } from '../json.ts';
import { DIRECTIONS } from './policy.ts';
import { isList, rulesOf } from './stages/rule-document.ts';

/** Label by which a policy for nodes is brought into force on one node after the other. */
const NODE_LABEL = 'meshops.dev/host-policy';

/** Why a policy for nodes is not rolled out by meshops, and the way that locks nobody out of more than one node. */
export function byNode(name: string): string {
  return [
    'A wrong policy for nodes locks everyone out of all of them at once, including those who would roll it back, so it is not rolled out here.',
    `By node instead: add \`${NODE_LABEL}: ${name}\` to its nodeSelector and apply it, so that it selects no node yet.`,
    `Label one node: \`kubectl label node <node> ${NODE_LABEL}=${name}\`. Look at \`hubble observe --node-name <node> --verdict DROPPED\` and at your own way in, then label the next.`,
    `\`kubectl label node <node> ${NODE_LABEL}-\` opens that node again.`,
  ].join(' ');
}

/** What a policy for nodes would do, and how it gets into force; undefined for one that is for pods. */
export function hostWords(document: JsonObject): string | undefined {
  const rules = rulesOf(document).filter(({ nodeSelector }) => nodeSelector !== undefined);
  if (rules.length === 0) return undefined;
  const { name } = isObject(document['metadata']) ? document['metadata'] : {};
  const whom = rules.map(({ nodeSelector }) => `\`${JSON.stringify(nodeSelector)}\``).join(', ');
  const does = DIRECTIONS.flatMap((direction) => {
    const lists = rules.flatMap((rule) => [rule[direction], rule[`${direction}Deny`]].filter(isList));
    const entries = lists.flat().length;
    return lists.length === 0 ? [] : [`${direction} with ${entries} ${entries === 1 ? 'entry' : 'entries'}`];
  });
  return `it is for the nodes ${whom}: ${does.join(', ') || 'nothing'}. ${byNode(typeof name === 'string' && name !== '' ? name : 'policy')}`;
}
