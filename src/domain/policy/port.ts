/** Whether a port is a name: an IANA service name (RFC 6335 section 5.1), which `0x50` is as well. */
export function isPortName(port: string): boolean {
  return port.length <= 15 && /^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$/.test(port) && /[a-zA-Z]/.test(port);
}

/**
 * A port number as Go's strconv.ParseUint(text, 0, 16) reads it: `0120` is octal, `0b1` and long `0x…` are numbers, `_` may stand
 * between digits after a base prefix or in a decimal number. undefined = not a number from 0 to 65535.
 */
export function parsePortNumber(text: string): number | undefined {
  const [, prefix = '', body = ''] = /^(0[xX]|0[bB]|0[oO]|0(?=[\d_]))?(.*)$/s.exec(text) ?? [];
  const base = BASES[prefix.toLowerCase()] ?? 10;
  // An underscore may follow the base prefix, and otherwise stands between two digits.
  const digits = prefix !== '' ? body.replace(/^_/, '') : body;
  if (!/^[0-9a-zA-Z]+(_[0-9a-zA-Z]+)*$/.test(digits)) return undefined;
  let value = 0;
  for (const digit of digits.replaceAll('_', '')) {
    const amount = Number.parseInt(digit, 36);
    if (amount >= base) return undefined;
    value = value * base + amount;
    if (value > 0xffff) return undefined;
  }
  return value;
}

const BASES: Readonly<Record<string, number>> = { '': 10, '0x': 16, '0b': 2, '0o': 8, '0': 8 };
