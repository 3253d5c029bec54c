import type { JsonObject } from '../json.ts';
import { FLOW_PROTOCOLS, isIcmp } from '../policy/flow.ts';
import { misunderstood } from './arguments.ts';
import { type FlowEnd, type FlowQuestion, type Misunderstanding, QUESTION_ENTITIES } from './command.ts';
import { isLabel, quoted } from './target-text.ts';

const USAGE = 'Write from -> to:port, such as frontend/frontend -> backend/backend:8080, or paste a flow as JSON.';
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/;

/** Reads what stands behind `explain`. Total. */
export function parseQuestion(text: string): FlowQuestion | Misunderstanding {
  const plain = text
    .replaceAll(/[“”„‟]/g, '"')
    .replaceAll(/[\u200B-\u200F\u2060\uFEFF]/g, '')
    .trim();
  if (plain.startsWith('{')) return parseFlow(plain);
  const [source, destination, ...rest] = plain.split(/\s*(?:[-–—]+>|→|⇒|=>|\s+to\s+)\s*/);
  if (!source || !destination || rest.length > 0) return misunderstood(`That is no pair. ${USAGE}`);
  const [, end = '', portText, protocolText] =
    /^(\[[^\]]*\]|[^\s:]+?)(?::(\d{1,6}))?(?:\/(tcp|udp|sctp|icmp|icmpv6))?$/i.exec(destination) ?? [];
  const protocol = FLOW_PROTOCOLS.find((one) => one === (protocolText ?? 'TCP').toUpperCase());
  if (end === '' || !protocol) return misunderstood(`${quoted(destination)} is no destination. ${USAGE}`);
  const port = Number(portText ?? Number.NaN);
  if (!isIcmp(protocol) && !(port >= 1 && port <= 65_535)) {
    return misunderstood(portText === undefined ? `To which port? ${USAGE}` : `${quoted(portText)} is no port: 1 to 65535.`);
  }
  const from = parseEnd(source);
  const to = parseEnd(end);
  if (from.kind === 'misunderstood') return from;
  if (to.kind === 'misunderstood') return to;
  return { kind: 'pair', source: from, destination: to, port: isIcmp(protocol) ? 0 : port, protocol };
}

function parseFlow(text: string): FlowQuestion | Misunderstanding {
  try {
    const flow: unknown = JSON.parse(text);
    if (typeof flow === 'object' && flow !== null && !Array.isArray(flow)) return { kind: 'flow', flow: flow as JsonObject };
  } catch {
    // The sentence below says what was expected.
  }
  return misunderstood(`That is not the JSON of one flow. ${USAGE}`);
}

function parseEnd(text: string): FlowEnd | Misunderstanding {
  const entity = QUESTION_ENTITIES.find((one) => one === text.toLowerCase());
  if (entity) return { kind: 'entity', entity };
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (IPV4.test(bare) || (/^[0-9a-f:.]+$/i.test(bare) && bare.split(':').length > 2))
    return { kind: 'address', address: bare.toLowerCase() };
  const parts = text.split('/');
  const [name = '', namespace] = parts.toReversed();
  if (parts.length <= 2 && parts.every(isLabel)) return { kind: 'workload', name, ...(namespace === undefined ? {} : { namespace }) };
  if (parts.length === 1 && text.length <= 253 && text.includes('.') && text.toLowerCase().split('.').every(isLabel)) {
    return { kind: 'name', name: text.toLowerCase() };
  }
  return misunderstood(`${quoted(text)} is neither a workload, an entity, an address nor a name. ${USAGE}`);
}
