import { describe, expect, it } from 'vitest';
import { contains, parseAddress, parsePrefix } from '../../../src/domain/policy/cidr.ts';
import { canonicalName, dnsRuleMatch, fqdnMatch } from '../../../src/domain/policy/dns-pattern.ts';
import { OutcomeTable } from '../../../src/domain/policy/outcome-table.ts';
import { isPortName, parsePortNumber } from '../../../src/domain/policy/port.ts';
import { cnp, refusal } from './cluster.ts';

describe('numbers and names of ports', () => {
  it.each([
    ['80', 80],
    ['0', 0],
    ['0120', 80],
    ['0o120', 80],
    ['0B11', 3],
    ['0x0000000000000050', 80],
    ['65_535', 65_535],
    ['0_7', 7],
    ['65536', undefined],
    ['08', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['80-90', undefined],
    ['1__0', undefined],
    ['_1', undefined],
    ['1_', undefined],
    ['0x', undefined],
    ['', undefined],
    [' 80', undefined],
  ])('%s is %s', (text, number) => {
    expect(parsePortNumber(text)).toBe(number);
  });

  it('a name has a letter, at most 15 characters and no two hyphens in a row', () => {
    expect(['web', '0x50', 'a', 'http-2', 'A1'].every(isPortName)).toBe(true);
    expect(['80', '', '-a', 'a-', 'a--b', 'a_b', 'a-name-longer-than-15'].some(isPortName)).toBe(false);
  });
});

describe('prefixes', () => {
  it('are read as strictly as the engine reads them', () => {
    for (const text of ['10.0.0.0/8', '10.1.2.3/8', '::/0', '2001:db8::/32', '::ffff:1.2.3.4/128', '1:2:3:4:5:6:7:8/64']) {
      expect(parsePrefix(text), text).toBeDefined();
    }
    for (const text of [
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0.0/08',
      '010.0.0.0/8',
      '10.0.0/8',
      '::1::/64',
      '2001:db8::/129',
      '12345::/16',
      'x/8',
      '10.0.0.0/-1',
    ]) {
      expect(parsePrefix(text), text).toBeUndefined();
    }
  });

  it('contain by their bits, whatever stands below the mask, and never across families', () => {
    const inside = (prefix: string, address: string) => {
      const [outer, inner] = [parsePrefix(prefix), parseAddress(address)];
      return outer && inner ? contains(outer, inner) : 'unreadable';
    };
    expect(inside('10.9.9.9/8', '10.1.2.3')).toBe(true);
    expect(inside('10.0.0.0/8', '11.0.0.0')).toBe(false);
    expect(inside('0.0.0.0/0', '255.255.255.255')).toBe(true);
    expect(inside('2001:db8::/32', '2001:db8:1::1')).toBe(true);
    expect(inside('::/0', '10.0.0.1')).toBe(false);
  });
});

describe('DNS patterns', () => {
  const fqdn = (pattern: string, name: string) => fqdnMatch('', pattern)(canonicalName(name));
  it.each([
    ['*.example.com', ['a.example.com', 'A.Example.COM.'], ['example.com', 'a.b.example.com']],
    ['*example.com', ['example.com', 'myexample.com'], ['a.example.com']],
    ['**.example.com', ['a.example.com', 'a.b.example.com'], ['example.com']],
    ['api.*.com', ['api.x.com', 'api..com'], ['api.x.y.com']],
    ['su*b-*.x', ['sub-.x', 'suuub-api.x'], ['sub.x']],
    ['a**b.x', ['ab.x', 'a-b.x'], ['a.b.x']],
    ['*', ['a', 'a.b.c'], []],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((name) => !fqdn(pattern, name))).toEqual([]);
    expect(no.filter((name) => fqdn(pattern, name))).toEqual([]);
  });

  it('a DNS rule may have a name and a pattern, and means either', () => {
    const rule = dnsRuleMatch('a.com', '*.b.com');
    expect(['a.com.', 'x.b.com.', 'c.com.'].map(rule)).toEqual([true, true, false]);
    expect(dnsRuleMatch('', '*')('what ever.')).toBe(true);
    expect(dnsRuleMatch('', '')('a.com.')).toBe(false);
  });
});

describe('the table of outcomes', () => {
  it('keeps keys apart, grows, and forgets all when it is full', () => {
    const table = new OutcomeTable<number>(5_000);
    const keys = Array.from({ length: 4_999 }, (_, index) => [index % 71, index % 97, index] as const);
    for (const [index, key] of keys.entries()) table.set(...key, index);
    expect(keys.filter((key, index) => table.get(...key) !== index)).toEqual([]);
    expect(table.get(1, 0, 0)).toBeUndefined();
    table.set(999, 1, 1, -1);
    expect(table.get(999, 1, 1)).toBe(-1);
    expect(table.get(0, 0, 0)).toBe(0);
    table.set(999, 1, 2, -2);
    expect(table.get(0, 0, 0)).toBeUndefined();
    expect(table.get(999, 1, 2)).toBe(-2);
  });
});

describe('what is refused', () => {
  const rule = (more: object) => cnp({ ingress: [{ fromEntities: ['all'], ...more }] });
  const port = (more: object, rules?: object) =>
    rule({ toPorts: [{ ports: [{ port: '80', protocol: 'TCP', ...more }], ...(rules && { rules }) }] });
  it.each([
    ['a port as a number', port({ port: 80 }), /^decode: spec\.ingress\.0\.toPorts\.0\.ports\.0\.port/],
    ['a list that is an object', cnp({ ingress: {} }), /^decode/],
    ['an ICMP type of no name', rule({ icmps: [{ fields: [{ type: 'Ping' }] }] }), /^decode/],
    ['no selector', { ...cnp({ endpointSelector: undefined, ingress: [{}] }) }, /EndpointSelector or NodeSelector/],
    ['a policy without a name', cnp({ ingress: [{}] }, { namespace: 'back' }), /must have name/],
    ['no rule at all', { kind: 'CiliumNetworkPolicy', metadata: { name: 'p', namespace: 'back' } }, /empty policy/],
    ['nodes', cnp({ endpointSelector: undefined, nodeSelector: {}, ingress: [{}] }), /NodeSelector/],
    ['two kinds of peers', cnp({ ingress: [{ fromEntities: ['all'], fromCIDR: ['10.0.0.0/8'] }] }), /combining FromCIDR and FromEntities/],
    ['HTTP on any protocol', port({ protocol: '' }, { http: [{}] }), /only apply to TCP \(not ANY\)/],
    ['HTTP on port 0', port({ port: '0' }, { http: [{}] }), /port is 0/],
    ['DNS on ingress', port({}, { dns: [{ matchPattern: '*' }] }), /not supported on ingress/],
    ['41 ports', rule({ toPorts: [{ ports: Array.from({ length: 41 }, () => ({ port: '1' })) }] }), /too many ports/],
    ['ports beside ICMP', rule({ toPorts: [{ ports: [{ port: '1' }] }], icmps: [{ fields: [{ type: 8 }] }] }), /without ToPorts/],
    ['an unknown kind', { kind: 'Deployment' }, /^decode/],
    ['no object', 'policy', /^decode/],
    ['nothing', null, /^decode/],
  ])('%s', (_, document, words) => {
    expect(refusal(document)).toMatch(words);
  });

  it('a second spec that is broken takes the whole policy with it', () => {
    const good = { endpointSelector: {}, ingress: [{}] };
    const bad = { endpointSelector: {}, ingress: [{ fromEntities: ['galaxy'] }] };
    const both = { kind: 'CiliumNetworkPolicy', metadata: { name: 'p', namespace: 'back' }, specs: [good, bad] };
    expect(refusal(both)).toMatch(/specs\[1\]: unsupported entity: galaxy/);
  });
});
