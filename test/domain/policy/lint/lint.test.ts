import { describe, expect, it, test } from 'vitest';
import { type LintOptions, lintText } from '../../../../src/documents/lint.ts';
import { MAX_POLICY_BYTES } from '../../../../src/documents/read.ts';
import type { Finding } from '../../../../src/domain/policy/lint/finding.ts';
import { RULE_TITLES } from '../../../../src/domain/policy/lint/rules.ts';
import { BROKEN, policy, RIGHT } from './documents.ts';
import { edited } from './edited.ts';

const lintPolicy = (text: string, options?: LintOptions) => lintText(text, options).findings;

const words = (findings: readonly Finding[]): readonly string[] => findings.map(({ rule, line, path }) => `${line} ${rule} ${path}`);
const markedLine = (text: string): number => text.split('\n').findIndex((line) => line.includes('# here')) + 1;

describe.each(BROKEN.map((one, index) => ({ name: `${one.rule} (${index})`, ...one })))('$name', ({ rule, text, happens, right, live }) => {
  const options = live ? { live } : {};
  const found = lintPolicy(text, options);
  const mine = found.filter((one) => one.rule === rule);

  it('is found at its line, with what would really happen', () => {
    expect(words(mine)).toEqual([expect.stringMatching(new RegExp(`^${markedLine(text)} `))]);
    expect(mine[0]?.happens).toMatch(happens);
    expect(mine[0]?.instead).not.toBe('');
  });

  it('says nothing else that is an error', () => {
    expect(words(found.filter((one) => one.rule !== rule && one.severity === 'error'))).toEqual([]);
  });

  it('has a right form that passes', () => {
    const edit = mine[0]?.fix?.edit;
    if (right === undefined && !edit) throw new Error(`No fix and no right form: ${JSON.stringify(mine[0]?.fix)}`);
    const form = right ?? (edit ? edited(text, edit) : text);
    expect(words(lintPolicy(form, options).filter((one) => one.rule === rule || one.severity === 'error')), form).toEqual([]);
  });

  it('keeps the comments of the lines that the fix leaves alone', () => {
    const edit = mine[0]?.fix?.edit;
    if (!edit) return;
    const lines = text.split('\n');
    expect(edited(text, edit).startsWith(lines.slice(0, edit.line - 1).join('\n'))).toBe(true);
    expect(edited(text, edit).endsWith(lines.slice(edit.endLine).join('\n'))).toBe(true);
  });
});

test('every rule has a broken document', () => {
  const covered = new Set(BROKEN.map(({ rule }) => rule));
  expect(RULE_TITLES.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([
    'too-large',
    'not-yaml',
    'unsafe-yaml',
    'template',
    'kustomize-patch',
    'waiver',
  ]);
});

test.each(Object.entries(RIGHT))('%s passes', (_name, text) => {
  expect(words(lintPolicy(text))).toEqual([]);
});

describe('the right form is not offered where it would not be right', () => {
  const list = (entries: string) =>
    policy(`ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [${entries}]}}]}]`);
  const fixes = (text: string) => lintPolicy(text).map(({ rule, fix }) => [rule, fix?.patch.map(({ op, path }) => `${op} ${path}`)]);

  it('an HTTP deny alone: an empty list would let everything through', () => {
    expect(fixes(list('{path: /admin, action: DENY}'))).toEqual([['http-action', undefined]]);
  });
  it('an HTTP deny beside a catch-all: it would still be let through', () => {
    expect(fixes(list('{path: "/.*"}, {path: /admin, action: DENY}'))).toEqual([['http-action', undefined]]);
  });
  it('an observe mode with deny rules: they work even so', () => {
    const text = policy('policyEnforcement: false\ningressDeny: [{fromEntities: [world]}]\ningress: [{}]');
    expect(fixes(text)).toEqual([['policy-enforcement', undefined]]);
  });
  it('two values for one key: nobody knows which was meant', () => {
    expect(fixes(policy('ingress: [{fromEndpoints: [{matchLabels: {x: a, "any:x": b}}]}]'))).toEqual([['any-collision', undefined]]);
  });
});

describe('what is known about the cluster', () => {
  const services = policy(
    'egress: [{toEntities: [cluster]}, {toServices: [{k8sService: {serviceName: db}}], toPorts: [{ports: [{port: "1"}]}]}]',
  );
  const severities = (live: object, text: string) => lintPolicy(text, { live }).map(({ rule, severity }) => `${severity} ${rule}`);

  it('a Service that is not there opens its ports now', () => {
    expect(severities({ services: ['backend/db'] }, services)).toEqual(['warning services-with-ports']);
    expect(severities({ services: ['database/db'] }, services)).toEqual(['error services-with-ports']);
  });
  it('DNS that another policy allows is not missed', () => {
    const text = policy('egress: [{toFQDNs: [{matchName: a.example.com}]}]');
    expect(severities({}, text)).toEqual(['error fqdn-without-dns']);
    expect(severities({ dnsVisible: true }, text)).toEqual([]);
    const plain = policy('egress: [{toEndpoints: [{}]}]');
    expect(severities({}, plain)).toEqual(['warning egress-without-dns']);
    expect(severities({ dnsAllowed: true }, plain)).toEqual([]);
  });
  it('the Gateway is missed only where it stands', () => {
    const text = policy('ingress: [{fromEntities: [ingress]}]');
    expect(severities({ behindGateway: true }, text)).toEqual([]);
    expect(severities({}, policy('ingress: [{}]'))).toEqual([]);
    expect(severities({ behindGateway: true }, policy('ingress: [{}]'))).toEqual(['note gateway-kept-out']);
  });
});

describe('texts', () => {
  const rules = (text: string) =>
    lintPolicy(text, { file: 'p.yaml' }).map(({ rule, file, line, severity }) => ({ rule, file, line, severity }));
  const error = (rule: string, line: number) => [{ rule, file: 'p.yaml', line, severity: 'error' }];

  test('several documents, each with its own lines', () => {
    const [good, bad] = [policy('ingress: [{}]'), policy('ingress: [] # here')];
    const text = `${good}---\n${bad}`;
    expect(rules(text)).toEqual(error('empty-sections', markedLine(text)));
    expect(lintText(text).policies).toBe(2);
    const edit = lintPolicy(text)[0]?.fix?.edit;
    expect(edit && edited(text, edit)).toBe(text.replace('ingress: [] # here', 'ingress:\n    - {}\n    # here'));
  });
  test('what is not YAML', () => expect(rules('a: 1\nb: [1')).toEqual(error('not-yaml', 2)));
  test('a key that stands there twice', () => expect(rules('a: 1\na: 2')).toEqual(error('not-yaml', 2)));
  test('aliases that would blow up', () => {
    const levels = Array.from({ length: 30 }, (_, n) => `l${n + 1}: &l${n + 1} [*l${n}, *l${n}]`);
    expect(rules(['l0: &l0 [x]', ...levels].join('\n'))).toEqual(error('unsafe-yaml', 18));
  });
  test('a template that is no YAML before it is rendered is not checked, and that is no error', () => {
    expect(rules('a: 1\n{{- if .Values.on }}\nb: 2\n{{- end }}')).toEqual([
      { rule: 'template', file: 'p.yaml', line: 2, severity: 'note' },
    ]);
  });
  test('tags', () => expect(rules('a: !run x')).toEqual(error('unsafe-yaml', 1)));
  test('more than 256 KiB', () => expect(rules(`# ${'x'.repeat(MAX_POLICY_BYTES)}`)).toEqual(error('too-large', 1)));
  test('a policy of more entries than anybody reviews', () => {
    expect(rules(policy(`ingress: [${'{},'.repeat(6_000)}]`))).toEqual(error('too-large', 1));
  });
  test('a text full of mistakes: all are said, edits only for the first', () => {
    const entries = Array.from({ length: 1_500 }, (_, n) => `{path: /a${n}, action: DENY}`).join(', ');
    const found = lintPolicy(
      policy(`ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: /}, ${entries}]}}]}]`),
    );
    expect(found).toHaveLength(1_500);
    // A fix is offered once it was tried, and not all of these are.
    expect(found.filter(({ fix }) => fix !== undefined).length).toBeLessThan(50);
    const edits = found.filter(({ fix }) => fix?.edit !== undefined).length;
    expect(edits).toBeGreaterThan(0);
    expect(edits).toBeLessThan(50);
  });
  test('brackets without end', () => expect(rules('['.repeat(100_000))).toEqual(error('not-yaml', 1)));
  test('nothing', () => expect([lintText(''), lintText('---\n# nothing\n')]).toEqual(Array(2).fill({ findings: [], policies: 0 })));
  test('JSON, without edits', () => {
    const text = JSON.stringify({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'x' },
      spec: { endpointSelector: {}, ingress: [] },
    });
    const [found] = lintPolicy(text);
    expect(found).toMatchObject({ rule: 'empty-sections', fix: { patch: [{ op: 'replace', path: '/spec/ingress', value: [{}] }] } });
    expect(found?.fix?.edit).toBeUndefined();
  });
  test('lines that end with CR LF stay so', () => {
    const text = policy(
      'ingress:\n  - fromEndpoints:\n      - matchLabels:\n          app: x\n          any:app: x\n  - fromEntities: [world]',
    ).replaceAll('\n', '\r\n');
    const edit = lintPolicy(text)[0]?.fix?.edit;
    expect(edit && edited(text, edit)).toBe(text.replace('\r\n            any:app: x', ''));
  });
  test('lists flush with their key stay flush', () => {
    const text = policy('ingress:\n- fromEndpoints:\n  - matchLabels:\n      app: x\n      any:app: x\n');
    const edit = lintPolicy(text)[0]?.fix?.edit;
    expect(edit && edited(text, edit)).toBe(text.replace('\n        any:app: x', ''));
  });
});
