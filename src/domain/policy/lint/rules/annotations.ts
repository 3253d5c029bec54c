import { fix, type LintRule, remove } from '../rule.ts';
import { child } from '../view.ts';

/** Annotations that people believe in; Cilium knows none of them (pkg/annotation, v1.20.2). */
const DEAD: readonly {
  readonly id: string;
  readonly keys: RegExp;
  readonly title: string;
  readonly happens: string;
  readonly instead: string;
}[] = [
  {
    id: 'priority-annotation',
    keys: /^policy\.cilium\.io\/(priority|order|precedence|tier)$/,
    title: 'Policies have no priority',
    happens: 'Nothing reads this annotation: all Cilium policies have the same rank, and a deny rule wins over every allow.',
    instead: 'Say what must never pass with `ingressDeny` or `egressDeny`, and leave the annotation out.',
  },
  {
    id: 'audit-annotation',
    keys: /^policy\.cilium\.io\/(audit(-mode)?|enforcement|policy-?enforcement|dry-?run|mode)$/,
    title: 'No annotation makes a policy observe only',
    happens: 'Nothing reads this annotation: the policy is enforced at once.',
    instead: 'To observe, let the policy deny nothing: `enableDefaultDeny: {ingress: false, egress: false}`, without deny and L7 rules.',
  },
];

export const deadAnnotations: readonly LintRule[] = DEAD.map(({ id, keys, title, happens, instead }) => ({
  id,
  severity: 'error',
  title,
  check: (policy) => {
    const metadata = child(policy, 'metadata');
    const annotations = metadata && child(metadata, 'annotations');
    return Object.keys(annotations?.value ?? {})
      .filter((key) => keys.test(key))
      .map((key) => {
        const path = [...policy.path, 'metadata', 'annotations', key];
        const alone = Object.keys(annotations?.value ?? {}).length === 1;
        return { path, happens, instead, fix: fix('Leave it out', remove(alone ? path.slice(0, -1) : path)) };
      });
  },
}));
