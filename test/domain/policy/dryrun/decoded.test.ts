import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DecodedFlow, readDecoded } from '../../../../src/domain/policy/dryrun/decoded.ts';
import { readRecorded } from '../../../../src/domain/policy/dryrun/recorded.ts';

/** Whatever the Observer's proto lets an agent send: every field may be unset, and is left out then. */
function some<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}
const text = fc.constantFrom('', 'a', 'k8s:app=backend', '10.0.0.1');
const texts = fc.array(text, { maxLength: 3 });
const whole = fc.nat(70_000);
const end = some({ identity: whole, namespace: text, labels: texts, pod_name: text });
const ports = some({ source_port: whole, destination_port: whole, flags: some({ SYN: fc.boolean(), ACK: fc.boolean() }) });
const icmp = some({ type: whole, code: whole });
const flow = some<DecodedFlow>({
  time: fc.record({ seconds: whole, nanos: fc.nat(999_999_999) }),
  uuid: text,
  verdict: fc.constantFrom('FORWARDED', 'DROPPED', ''),
  drop_reason_desc: fc.constantFrom<string | number>('POLICY_DENIED', 133, 181, 7),
  IP: some({ source: text, destination: text }),
  l4: some({ TCP: ports, UDP: ports, SCTP: ports, ICMPv4: icmp, ICMPv6: icmp }),
  source: end,
  destination: end,
  l7: some({
    type: text,
    http: some({ method: text, url: text, headers: fc.array(some({ key: text, value: text }), { maxLength: 2 }) }),
    dns: some({ query: text }),
  }) as never,
  event_type: some({ type: whole }),
  traffic_direction: text,
  trace_observation_point: text,
  trace_reason: text,
  is_reply: some({ value: fc.boolean() }),
  destination_names: texts,
  source_names: texts,
});

it('a flow that the Observer sends is read as the same flow of a file is', () => {
  const ends = new WeakMap();
  fc.assert(
    fc.property(flow, (one) => {
      expect(readDecoded(one, ends)).toEqual(readRecorded(one));
      // Once more: what is remembered of its ends is no other.
      expect(readDecoded(one, ends)).toEqual(readRecorded(one));
    }),
    { numRuns: 2_000 },
  );
});
