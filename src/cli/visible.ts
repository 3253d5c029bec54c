/** A terminal obeys control characters, wherever they come from. */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
