import { contains, type Prefix } from '../cidr.ts';

const WIDTH = { 4: 32, 6: 128 } as const;
/** Outside of what anybody names, unless somebody names everything: TEST-NET-3 and the documentation prefix (RFC 5737, RFC 3849). */
const ELSEWHERE: readonly Prefix[] = [
  { family: 4, address: 0xcb0071fen, bits: 32 },
  { family: 6, address: 0x20010db8n << 96n, bits: 128 },
];

/** One address for each set of prefixes that can contain an address together. */
export function addressClasses(prefixes: readonly Prefix[]): readonly string[] {
  const found = new Map<string, string>();
  for (const address of [...ELSEWHERE, ...prefixes.flatMap((prefix) => edges(prefix))]) {
    const key = `${address.family} ${prefixes.map((prefix) => (contains(prefix, address) ? 1 : 0)).join('')}`;
    if (!found.has(key)) found.set(key, textOf(address));
  }
  return [...found.values()];
}

/** First and last address of a prefix and their neighbours: two prefixes lie in each other or apart, so each set shows at an edge. */
function edges({ family, address, bits }: Prefix): readonly Prefix[] {
  const size = 1n << BigInt(WIDTH[family] - bits);
  const first = (address / size) * size;
  const all = 1n << BigInt(WIDTH[family]);
  return [first, first + size - 1n, first - 1n, first + size]
    .filter((one) => one >= 0n && one < all)
    .map((one) => ({ family, address: one, bits: WIDTH[family] }));
}

function textOf({ family, address }: Prefix): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  return Array.from({ length: 8 }, (_, index) => ((address >> BigInt((7 - index) * 16)) & 0xffffn).toString(16)).join(':');
}
