import { type ServiceError, status } from '@grpc/grpc-js';

/** What Node, OpenSSL and grpc-js write, and what it means. The first that fits counts. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'it refuses connections'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no way to it'],
  [/ETIMEDOUT/, 'it did not answer in time'],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, 'its name cannot be resolved'],
  [/does not match certificate's altnames|ALTNAME_INVALID/, "its certificate is for other names (altnames) than this node's"],
  [/certificate has expired/, 'its certificate has expired'],
  [/certificate is not yet valid/, 'its certificate is not valid yet'],
  [
    /self-signed certificate|unable to (get|verify)|unknown ca|certificate signature failure/i,
    'its certificate is signed by another authority than ours, or ours is by another than its own',
  ],
  [
    /alert (certificate required|bad certificate|handshake failure|certificate (expired|unknown|revoked))/i,
    'it does not accept our client certificate',
  ],
  [/wrong version number|packet length too long/, 'it does not speak TLS'],
  [/Protocol error|Received HTTP status code/, 'what answers there is no agent of Hubble'],
  [/ECONNRESET|EPIPE|socket hang up|Connection dropped|Failed to connect|Channel (closed|has been shut down)/, 'the connection broke'],
];

const BY_CODE: Readonly<Record<number, string>> = {
  [status.CANCELLED]: 'the stream was ended',
  [status.DEADLINE_EXCEEDED]: 'it did not answer in time',
  [status.UNIMPLEMENTED]: 'what answers there is no agent of Hubble',
  [status.UNAUTHENTICATED]: 'it asks for credentials that we do not have',
  [status.PERMISSION_DENIED]: 'it does not let us read flows',
  [status.RESOURCE_EXHAUSTED]: 'it has too much to do',
  [status.UNAVAILABLE]: 'the connection broke',
};

/** Why an agent cannot be read: part of a sentence for people. What nobody foresaw is told in the agent's own words. */
export function reasonOf({ code, details, message }: Pick<ServiceError, 'code' | 'details' | 'message'>): string {
  const text = details || message;
  const known = KNOWN.find(([pattern]) => pattern.test(text))?.[1] ?? BY_CODE[code];
  return known ?? `it answers: ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 200)}`;
}
