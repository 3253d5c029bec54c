/** IPsec numbers its keys by an SPI of 1 to 15 (cilium.io: Documentation/security/network/encryption-ipsec.rst, key rotation). */
const LARGEST = 15;

/** The number of the next key: always forward, 1 after 15. A number is never used again for another key while somebody may hold the old one. */
export function nextSpi(spi: number): number {
  if (!isSpi(spi)) throw new RangeError(`An SPI is 1 to ${LARGEST}, not ${spi}.`);
  return (spi % LARGEST) + 1;
}

export function isSpi(spi: number): boolean {
  return Number.isInteger(spi) && spi >= 1 && spi <= LARGEST;
}

/** What the value of the secret says about a key, without the key. */
export interface KeyLine {
  readonly spi: number;
  /** Keys per tunnel, derived from this one: the form without `+` is the weaker one of GHSA-pwqm-x5x6-5586. */
  readonly perTunnel: boolean;
  readonly algorithm: string;
}

const LINE = /^\s*(\d{1,2})(\+?)\s+(\S+)\s+(?:0x)?[0-9a-fA-F]+(?:\s+\d+)?\s*$/;

/** Reads `3+ rfc4106(gcm(aes)) <hex> 128`; undefined where it is none. */
export function readKeyLine(text: string): KeyLine | undefined {
  const [, spi = '', plus, algorithm = ''] = LINE.exec(text) ?? [];
  return isSpi(Number(spi)) ? { spi: Number(spi), perTunnel: plus === '+', algorithm } : undefined;
}
