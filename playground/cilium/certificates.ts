/** Certificates as Cilium's Helm chart issues them: one authority for all of Hubble, names instead of addresses, TLS on both ends. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

const { pki } = forge;

/** PEM texts. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly cert: string;
  /** A certificate with these DNS names, for a server or a client, all with one key. `until` (epoch ms) may lie in the past. */
  issue(names: readonly string[], options?: { readonly until?: number }): Issued;
}

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

let serial = 0;

/** A new authority; everything that it issues is valid from yesterday on. */
export async function createAuthority(now: number): Promise<Authority> {
  const [own, pair] = await Promise.all([keys(), keys()]);
  const name = [{ name: 'commonName', value: 'Cilium CA' }];
  const ca = blank(own.public, now - 2 * DAY_MS, now + YEAR_MS);
  ca.setSubject(name);
  ca.setIssuer(name);
  ca.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  ca.sign(own.private, forge.md.sha256.create());
  return {
    cert: pki.certificateToPem(ca),
    issue(names, { until = now + YEAR_MS } = {}) {
      const cert = blank(pair.public, Math.min(now, until) - DAY_MS, until);
      cert.setSubject([{ name: 'commonName', value: names[0] ?? 'meshops' }]);
      cert.setIssuer(name);
      cert.setExtensions([
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
      ]);
      cert.sign(own.private, forge.md.sha256.create());
      return { cert: pki.certificateToPem(cert), key: pki.privateKeyToPem(pair.private) };
    },
  };
}

async function keys() {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return { public: pki.publicKeyFromPem(publicKey), private: pki.privateKeyFromPem(privateKey) };
}

function blank(publicKey: forge.pki.PublicKey, from: number, until: number): forge.pki.Certificate {
  const cert = pki.createCertificate();
  cert.publicKey = publicKey;
  serial += 1;
  cert.serialNumber = serial.toString(16).padStart(4, '0');
  cert.validity.notBefore = new Date(from);
  cert.validity.notAfter = new Date(until);
  return cert;
}
