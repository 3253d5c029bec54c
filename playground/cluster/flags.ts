/** Command-line flags as `--name=value`, for programs that take them so. */
export const flags = (values: Readonly<Record<string, string | number>>): readonly string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);
