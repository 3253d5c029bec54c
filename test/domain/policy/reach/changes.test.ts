import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/domain/json.ts';
import { type ReachChanges, reachChanges } from '../../../../src/domain/policy/reach/changes.ts';
import { reachLines } from '../../../../src/domain/policy/reach/words.ts';
import { baselinePolicy } from '../../../../src/domain/policy/stages/bootstrap.ts';
import { atOnce } from '../../../../src/domain/policy/stages/shape.ts';
import { FULL, policyDocument } from '../stages/documents.ts';

const between = (before: readonly JsonObject[], after: readonly JsonObject[]): ReachChanges => atOnce(reachChanges(before, after, {}));
const fromBackend = policyDocument({
  ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'backend', app: 'backend' } }] }],
});

describe('what a change of policies opens and closes', () => {
  it('a policy that goes opens all that it did not name, and closes nothing', () => {
    const { opens, closes, cut } = between([fromBackend], []);
    expect([closes, cut]).toEqual([[], false]);
    const [line = ''] = reachLines(opens);
    expect(line).toBe('Ingress: from everybody else to every port.');
  });

  it('names the peers and the ports that the rules name, and the rest as the rest', () => {
    const web = policyDocument({ ingress: [{ fromEntities: ['world'], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] }] });
    const admin = policyDocument({ ingress: [{ fromEntities: ['world'], toPorts: [{ ports: [{ port: '9090', protocol: 'TCP' }] }] }] });
    const { opens, closes } = between([web], [admin]);
    expect(reachLines(opens)).toEqual(['Ingress: from world to 9090/TCP.']);
    expect(reachLines(closes)).toEqual(['Ingress: from world to 8080/TCP.']);
    expect(reachLines(between([web], []).opens)[0]).toContain('everybody else to 8080/TCP, every other port');
  });

  it('one that comes closes what the other way round opens', () => {
    const [gone, come] = [between([fromBackend], []), between([], [fromBackend])];
    expect(come.opens).toEqual([]);
    expect(come.closes.length).toBe(gone.opens.length);
  });

  it('beside a default deny of others, taking its allows away closes them', () => {
    const baseline = baselinePolicy('frontend');
    const { opens, closes } = between([baseline, fromBackend], [baseline]);
    expect(opens).toEqual([]);
    expect(reachLines(closes).join(' ')).toContain('backend/backend');
  });

  it('groups of addresses are opened to and closed for by their names, whatever they hold', () => {
    const all = { fromEntities: ['all'] };
    const blocked = policyDocument({ ingress: [all], ingressDeny: [{ fromCIDRSet: [{ cidrGroupRef: 'blocked' }] }] });
    const open = policyDocument({ ingress: [all] });
    expect(reachLines(between([open], [blocked]).closes)).toEqual(['Ingress: from world (CIDR group blocked) to every port.']);
    expect(between([open], [blocked]).opens).toEqual([]);
    const partners = policyDocument({
      egress: [{ toCIDRSet: [{ cidrGroupRef: 'partners', except: ['10.0.0.0/8'] }] }, { toGroups: [{ aws: { region: 'eu' } }] }],
    });
    const none = policyDocument({ egress: [{ toCIDR: ['192.0.2.1/32'] }] });
    const words = reachLines(between([partners], [none]).closes).join(' ');
    expect(words).toContain('CIDR group partners without ["10.0.0.0/8"]');
    expect(words).toContain('cloud group {"aws":{"region":"eu"}}');
    expect(between([partners], [partners])).toEqual({ opens: [], closes: [], cut: false });
  });

  it('nothing changes where nothing does', () => {
    expect(between([FULL], [FULL])).toEqual({ opens: [], closes: [], cut: false });
  });

  it('every way there is the way back the other way round', () => {
    const some = fc.subarray([FULL, fromBackend, baselinePolicy('frontend')]);
    fc.assert(
      fc.property(some, some, (before, after) => {
        const [there, back] = [between(before, after), between(after, before)];
        expect(there.opens.length).toBe(back.closes.length);
        expect(there.closes.length).toBe(back.opens.length);
      }),
      { numRuns: 20 },
    );
  });
});
