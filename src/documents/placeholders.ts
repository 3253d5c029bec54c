import { PLACEHOLDER } from '../domain/policy/lint/placeholders.ts';

const WRITTEN = /\$\{[^{}\n]*\}|\$\([A-Za-z_]\w*\)|\{\{[^\n]*?\}\}/g;

/** The text with a stand-in for each `${NAME}`, `$(NAME)` and `{{ … }}`, of the same length: they would not be YAML everywhere. */
export function withoutPlaceholders(text: string): string {
  return text.replaceAll(WRITTEN, (written) => PLACEHOLDER.repeat(written.length));
}
