import { describe, expect, it } from 'vitest';
import { asks, client, clientPolicy, cnp, decide, dns, get, outside, refusal, server, verdict } from './cluster.ts';

// The surprises of layer 7, names and validity of Cilium's engine; the rest is in surprises.test.ts.
const fromAnyone = { fromEntities: ['all'] };
const named = (port: string, more: object = {}) => [{ ports: [{ port, protocol: 'TCP', ...more }] }];

describe('layer 7 and names', () => {
  const http = (rule: object) => ({ toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [rule] } }] });
  const serves = (rule: object, ...more: readonly object[]) => [cnp({ ingress: [http(rule), ...more] })];

  it('22: any rule that covers the port widens HTTP; only one for exactly the port widens DNS', () => {
    const range = { toPorts: named('1', { endPort: 1_000 }) };
    expect(verdict(serves({ path: '/a' }), client, server, get('/b'))).toBe('denied');
    for (const wider of [range, fromAnyone, { toPorts: named('0') }]) {
      expect(decide(serves({ path: '/a' }, wider), client, server, get('/b')).ingress).toMatchObject({ allowed: true, l7: 'http' });
    }
    const name = { toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchName: 'a.com' }] } }] };
    const wide = { toPorts: [{ ports: [{ port: '1', endPort: 65_535, protocol: 'UDP' }] }] };
    const exact = { toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }] }] };
    expect(verdict([clientPolicy({ egress: [name, wide, { toEntities: ['all'] }] })], client, dns, asks('b.com'))).toBe('denied');
    expect(verdict([clientPolicy({ egress: [name, exact] })], client, dns, asks('b.com'))).toBe('allowed');
  });

  it('23: an expression matches the whole, with query string and port; a broken host is accepted and matches nothing', () => {
    expect(verdict(serves({ path: '/a' }), client, server, get('/a?x=1'))).toBe('denied');
    expect(verdict(serves({ path: '/a|/b' }), client, server, get('/ab'))).toBe('denied');
    expect(verdict(serves({ host: 'server\\.back' }), client, server, get('/a'))).toBe('denied');
    expect(verdict(serves({ host: 'server\\.back:80' }), client, server, get('/a'))).toBe('allowed');
    expect(verdict(serves({ host: 'server(' }), client, server, get('/a', { host: 'server(' }))).toBe('denied');
    expect(refusal(serves({ path: '/a(' })[0])).toMatch(/missing closing/);
  });

  it('24: a header without a space is one to be there under that whole name; a mismatch action never refuses', () => {
    const headers = { headers: { 'x-token': 'abc' } };
    expect(verdict(serves({ headers: ['X-Token: abc'] }), client, server, get('/', headers))).toBe('allowed');
    expect(verdict(serves({ headers: ['X-Token: abd'] }), client, server, get('/', headers))).toBe('denied');
    expect(verdict(serves({ headers: ['X-Token'] }), client, server, get('/', headers))).toBe('allowed');
    expect(verdict(serves({ headers: ['X-Token:abc'] }), client, server, get('/', headers))).toBe('denied');
    const mismatch = (action: object) => serves({ headerMatches: [{ name: 'X-Token', value: 'other', ...action }] });
    expect(verdict(mismatch({}), client, server, get('/', headers))).toBe('denied');
    expect(verdict(mismatch({ mismatch: 'LOG' }), client, server, get('/', headers))).toBe('allowed');
  });

  it('25: one star is one label, two are one or more; a lone star needs a known name and never means pods', () => {
    const reach = (matchPattern: string, name: string) =>
      verdict([clientPolicy({ egress: [{ toFQDNs: [{ matchPattern }] }] })], client, outside('203.0.113.7', name === '' ? [] : [name]));
    expect([reach('*.com', 'a.com'), reach('*.com', 'a.b.com')]).toEqual(['allowed', 'denied']);
    expect([reach('**.com', 'a.b.com'), reach('**.com', 'com')]).toEqual(['allowed', 'denied']);
    expect([reach('*', 'a.b.com'), reach('*', '')]).toEqual(['allowed', 'denied']);
    const toPod = { ...server, fqdns: ['a.com'] };
    expect(verdict([clientPolicy({ egress: [{ toFQDNs: [{ matchPattern: '*' }] }] })], client, toPod)).toBe('denied');
  });
});

describe('validity', () => {
  it('26: a bare address passes where the CRD refuses it, and not in a set', () => {
    expect(refusal(clientPolicy({ egress: [{ toCIDR: ['203.0.113.7'] }] }))).toBeUndefined();
    expect(refusal(clientPolicy({ egress: [{ toCIDRSet: [{ cidr: '203.0.113.7' }] }] }))).toMatch(/sanitize: .*CIDRRule/);
  });

  it('27: DNS rules are not bound to port 53, and HTTP and DNS rules may meet on one port', () => {
    const rules = (l7: object) => ({ toPorts: [{ ports: [{ port: '5353', protocol: 'TCP' }], rules: l7 }] });
    const both = clientPolicy({ egress: [rules({ dns: [{ matchName: 'a.com' }] }), rules({ http: [{}] })] });
    expect(refusal(both)).toBeUndefined();
  });
});
