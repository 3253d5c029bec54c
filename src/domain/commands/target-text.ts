import type { TargetText } from '../target.ts';

/** RFC 1123 label: what Kubernetes takes as the name of a namespace or Service. */
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

/** A text that is no target: why, and the nearest text that would be one. */
interface NotATarget {
  readonly words: string;
  readonly nearest?: string;
}

/** Reads `[cluster/][namespace/]name`. Anything that is not made of Kubernetes names is refused with the reason. */
export function parseTargetText(text: string): TargetText | NotATarget {
  const parts = text.split('/');
  if (parts.length > 3) return { words: `${quoted(text)} has too many parts: a target is written [cluster/][namespace/]name.` };
  const wrong = parts.find((part) => !isLabel(part));
  if (wrong !== undefined) return notALabel(text, wrong);
  const name = parts.at(-1) ?? '';
  const namespace = parts.at(-2);
  const cluster = parts.at(-3);
  return { ...(cluster === undefined ? {} : { cluster }), ...(namespace === undefined ? {} : { namespace }), name };
}

/** `cluster/namespace/name`, with only the parts that were given. */
export function formatTargetText({ cluster, namespace, name }: TargetText): string {
  return [cluster, namespace, name].filter((part) => part !== undefined).join('/');
}

function notALabel(text: string, part: string): NotATarget {
  if (part === '') return { words: `${quoted(text)} has an empty part: a target is written [cluster/][namespace/]name.` };
  if (part.length > 63) return { words: `${quoted(part)} is ${part.length} characters long; Kubernetes names end at 63.` };
  const lower = text.toLowerCase();
  const fixed = lower.split('/').every(isLabel) ? { nearest: lower } : {};
  return {
    words: `${quoted(part)} is not a Kubernetes name: small letters, digits and dashes, with a letter or digit at both ends.`,
    ...fixed,
  };
}

/** What was typed, short and in backticks, so that it can stand in a sentence. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return `\`${short.replace(/[`\p{C}]/gu, '·')}\``;
}
