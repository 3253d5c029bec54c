import * as z from 'zod';
import { isLabel } from '../commands/target-text.ts';
import { parseDuration } from '../words/duration.ts';
import { parsePercent } from '../words/percent.ts';

/** Kinds of value that meshops.yaml is made of. Each refusal is a whole sentence. */

/** `30s`, `2m`: milliseconds. */
export const Duration = z.union([z.string(), z.number()], 'Expected a duration, such as 30s or 2m.').transform((value, context) => {
  const ms = parseDuration(String(value));
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `\`${value}\` is not a duration: write a number with its unit, such as 500ms, 30s or 2m.` });
  return z.NEVER;
});

/** `10%` or a whole number: percent, 0..100. */
export const Percent = z.union([z.string(), z.number()], 'Expected a percent, such as 10%.').transform((value, context) => {
  const percent = parsePercent(String(value));
  if (typeof percent === 'number') return percent;
  context.addIssue({ code: 'custom', message: `\`${value}\` is not clear as a percent: write it with its sign, such as 10% or 0.5%.` });
  return z.NEVER;
});

/** `1%`, `0.05%`: a share of failures, 0..0.5. Finer than `Percent`, and the sign is needed. */
export const FailureShare = z.string('Expected a share with its sign, such as 1% or 0.5%.').transform((text, context) => {
  const [, number] = /^(\d{1,2}(?:\.\d{1,6})?)%$/.exec(text) ?? [];
  const share = Number((Number(number) / 100).toPrecision(9));
  if (share > 0 && share <= 0.5) return share;
  context.addIssue({ code: 'custom', message: `\`${text}\` is no share of failures: write more than 0% and at most 50%, such as 1%.` });
  return z.NEVER;
});

export const Label = z
  .string('Expected a name.')
  .refine(isLabel, 'This is not a Kubernetes name: small letters, digits and dashes, at most 63.');

/** Lower case: e-mail addresses are people's canonical ids. */
export const Email = z
  .string('Expected an e-mail address.')
  .regex(/^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/, 'This is not an e-mail address of plain letters.')
  .transform((text) => text.toLowerCase());

/** A file's path. Secrets are read from files, never written here. */
export const FilePath = z.string('Expected the path of a file.').min(1, 'The path is empty.');

/** `host:port`, also `[::1]:4245`. */
export const Address = z
  .string('Expected an address.')
  .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'This is not an address: write host:port, such as relay.kube-system:4245.');

export const HttpUrl = z
  .string('Expected a URL.')
  .regex(/^https?:\/\/[^\s@/]+(\/\S*)?$/, 'This is not a URL: write http://host:port, without a user name or password.');
