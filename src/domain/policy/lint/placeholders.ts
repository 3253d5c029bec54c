// Values that something else fills in before kubectl sees them: `${NAME}` (envsubst, Flux), `{{ … }}` (Helm, Go templates, Ansible).

/** Stands for each character of a placeholder in what was read, so that every place stays where it is. From the private use area. */
export const PLACEHOLDER = '\u{E000}';

/** Whether a value holds one, at any depth. */
export function hasPlaceholders(value: unknown): boolean {
  return placeholdersIn(value) > 0;
}

/** Texts that hold one. */
export function placeholdersIn(value: unknown): number {
  if (typeof value === 'string') return value.includes(PLACEHOLDER) ? 1 : 0;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [key, inner]) => sum + (key.includes(PLACEHOLDER) ? 1 : 0) + placeholdersIn(inner), 0);
}
