/** An IPv4 or IPv6 prefix: the network's bits as a number, left-aligned in the family's width. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly bits: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/** An address, as Go's netip.ParseAddr takes it (no leading zeros in IPv4); without zones. undefined = not an address. */
export function parseAddress(text: string): Prefix | undefined {
  if (text.includes(':')) return parseIPv6(text);
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return { family: 4, address: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), bits: 32 };
}

/** A prefix `address/bits`, as netip.ParsePrefix takes it; bits below the mask may be set. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const bits = text.slice(slash + 1);
  if (!address || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > WIDTH[address.family]) return undefined;
  return { ...address, bits: Number(bits) };
}

/** Whether the address (or the whole of a prefix) lies in the prefix. */
export function contains(prefix: Prefix, inner: Prefix): boolean {
  if (prefix.family !== inner.family || prefix.bits > inner.bits) return false;
  const shift = BigInt(WIDTH[prefix.family] - prefix.bits);
  return prefix.address >> shift === inner.address >> shift;
}

function parseIPv6(text: string): Prefix | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted ? parseAddress(dotted[2] ?? '') : undefined;
  if (dotted && !tail) return undefined;
  const whole = tail ? `${dotted?.[1]}${(tail.address >> 16n).toString(16)}:${(tail.address & 0xffffn).toString(16)}` : text;
  const halves = whole.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const count = groups.reduce((sum, half) => sum + half.length, 0);
  if (halves.length === 2 ? count > 7 : count !== 8) return undefined;
  if (!groups.flat().every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const all = [...(groups[0] ?? []), ...Array.from({ length: 8 - count }, () => '0'), ...(groups[1] ?? [])];
  return { family: 6, address: all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n), bits: 128 };
}
