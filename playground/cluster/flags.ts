/** Command-line flags as `--name=value`, for programs that take them so. */
export function flags(values: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
