import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { JsonObject } from '../../src/domain/json.ts';
import { compare, type GitFile, type Handed } from '../../src/handover/documents.ts';
import { patchOf } from '../../src/handover/patch.ts';

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'shop', name: 'web' };
const POLICY = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'web' };

const at = (index: number, key: string): string => `/spec/rules/0/backendRefs/${index}/${key}`;
function weights(from: readonly [number, number], to: readonly [number, number]): Handed {
  const names = { [at(0, 'name')]: 'web', [at(1, 'name')]: 'web-canary' };
  return {
    ref: ROUTE,
    before: { ...names, [at(0, 'weight')]: from[0], [at(1, 'weight')]: from[1] },
    after: { ...names, [at(0, 'weight')]: to[0], [at(1, 'weight')]: to[1] },
    isDeleted: false,
  };
}

const ROUTE_YAML = `# The shop's front door.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
    name: web   # four spaces, as this team writes
    labels: {team: "shop"}
spec:
    parentRefs: [{name: mesh}]
    rules:
    # everything
    - backendRefs:
      - name: web
        port: 8080
        weight: 100   # the rest
      - {name: web-canary, port: 8080, weight: 0}
`;

/** Compares, and lets the real git apply the patch to the same files: byte for byte. */
function handedOver(files: Readonly<Record<string, string>>, handed: readonly Handed[], folder = '') {
  const given: GitFile[] = Object.entries(files).map(([path, text]) => ({ path, text }));
  const comparison = compare(given, folder, handed);
  const patch = patchOf(comparison.changes);
  const dir = mkdtempSync(join(tmpdir(), 'handover-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    if (patch !== '') execFileSync('git', ['apply', '--check', '-'], { cwd: dir, input: patch });
    if (patch !== '') execFileSync('git', ['apply', '--whitespace=error', '-'], { cwd: dir, input: patch });
    for (const { path, after } of comparison.changes)
      if (after !== null) expect(readFileSync(join(dir, path), 'utf8')).toBe(after);
      else expect(() => readFileSync(join(dir, path))).toThrow('ENOENT');
  } finally {
    rmSync(dir, { recursive: true });
  }
  const after = given.filter(({ path }) => !comparison.changes.some((change) => change.path === path));
  const changed = comparison.changes.flatMap(({ path, after: text }) => (text === null ? [] : [{ path, text }]));
  return { ...comparison, patch, again: compare([...after, ...changed], folder, handed) };
}

describe('a share', () => {
  it('is changed where it stands: comments, indentation and one-line mappings stay', () => {
    const { changes, patch, again } = handedOver({ 'apps/web.yaml': ROUTE_YAML }, [weights([100, 0], [90, 10])], 'apps');
    expect(changes.map(({ after }) => after)).toEqual([
      ROUTE_YAML.replace('weight: 100   #', 'weight: 90   #').replace('weight: 0}', 'weight: 10}'),
    ]);
    expect(patch).toBe(`diff --git a/apps/web.yaml b/apps/web.yaml
--- a/apps/web.yaml
+++ b/apps/web.yaml
@@ -11,5 +11,5 @@
     - backendRefs:
       - name: web
         port: 8080
-        weight: 100   # the rest
-      - {name: web-canary, port: 8080, weight: 0}
+        weight: 90   # the rest
+      - {name: web-canary, port: 8080, weight: 10}
`);
    expect(again).toEqual({ changes: [], problems: [] });
  });

  it('is added where Git leaves it out, which means 1', () => {
    const text = ROUTE_YAML.replace('        weight: 100   # the rest\n', '').replace(', weight: 0}', '}');
    const { changes, again } = handedOver({ 'web.yaml': text }, [weights([1, 1], [90, 10])]);
    expect(changes[0]?.after).toContain('        port: 8080\n        weight: 90\n      - {name: web-canary, port: 8080, weight: 10}\n');
    expect(again.changes).toEqual([]);
    expect(handedOver({ 'web.yaml': text }, [weights([5, 5], [1, 1])]).changes).toEqual([]);
  });

  it('that Git has already is no difference, whatever else Git says there', () => {
    expect(handedOver({ 'web.yaml': ROUTE_YAML }, [weights([90, 10], [100, 0])])).toMatchObject({ changes: [], problems: [], patch: '' });
  });

  it('is looked for in its own document of its own namespace', () => {
    const other = ROUTE_YAML.replace('metadata:\n', 'metadata:\n    namespace: other\n');
    const own = ROUTE_YAML.replace('metadata:\n', 'metadata:\n    namespace: shop\n');
    const { changes } = handedOver({ 'a.yaml': `${other}---\n${own}`, 'b.yml': ROUTE_YAML }, [weights([100, 0], [90, 10])]);
    const edited = own.replace('weight: 100   #', 'weight: 90   #').replace('weight: 0}', 'weight: 10}');
    expect(changes).toEqual([{ path: 'a.yaml', before: `${other}---\n${own}`, after: `${other}---\n${edited}` }]);
  });

  it.each([
    ['nothing is found', {}, 'no manifest of it was found'],
    ['a template', { 'a.yaml': 'kind: HTTPRoute\nmetadata: {name: {{ .Values.name }}-web}\n' }, 'no manifest of it was found'],
    ['two could be it', { 'a.yaml': ROUTE_YAML, 'b.yaml': ROUTE_YAML }, 'more than one manifest could be it: a.yaml, b.yaml'],
    ['another order', { 'a.yaml': ROUTE_YAML.replace('name: web\n', 'name: api\n') }, 'is api in Git, web in the cluster'],
  ])('is a problem in words where %s', (_, files, words) => {
    const { changes, problems } = handedOver(files, [weights([100, 0], [90, 10])]);
    expect(changes).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(words)]);
  });
});

describe('a rule that was put into a route', () => {
  const stable = {
    backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 8080, weight: 1 }],
    matches: [{ path: { type: 'PathPrefix', value: '/' } }],
  };
  const split = {
    backendRefs: [{ group: '', kind: 'Service', name: 'web-canary', port: 8080, weight: 1 }],
    matches: [{ headers: [{ name: 'x-canary', value: 'v2' }] }],
  };
  const ruled = (before: readonly object[], after: readonly object[]): Handed => ({
    ref: ROUTE,
    before: { '/spec/rules': before as never },
    after: { '/spec/rules': after as never },
    isDeleted: false,
  });
  const text = ROUTE_YAML.replace(/ {4}- backendRefs:[\s\S]*/, '    - backendRefs:\n      - name: web\n        port: 8080   # http\n');

  it('is put in before the others, which stay as they are written; and taken out again', () => {
    const { changes, again } = handedOver({ 'web.yaml': text }, [ruled([stable], [split, stable])]);
    const after = changes[0]?.after ?? '';
    expect(after).toContain('port: 8080   # http\n');
    const document = parseAllDocuments(after)[0]?.toJS() as { spec: { rules: object[] } };
    expect(document.spec.rules).toHaveLength(2);
    expect(document.spec.rules[0]).toEqual(split);
    expect(again.changes).toEqual([]);
    const back = handedOver({ 'web.yaml': after }, [ruled([split, stable], [stable])]);
    expect(back.changes[0]?.after).toContain('port: 8080   # http\n');
    expect(parseAllDocuments(back.changes[0]?.after ?? '')[0]?.toJS()).toEqual(parseAllDocuments(text)[0]?.toJS());
  });
});

describe('a policy', () => {
  const spec = (port: string, more: object = {}): JsonObject => ({
    endpointSelector: { matchLabels: { app: 'web' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: 'front' } }], toPorts: [{ ports: [{ port, protocol: 'TCP' }] }] }],
    ...more,
  });
  const text = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  endpointSelector:
    matchLabels:
      app: web
  # who may
  ingress:
    - fromEndpoints:
        - matchLabels:
            app: front # the site
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
`;
  const handed = (before: JsonObject, after: JsonObject): Handed => ({
    ref: POLICY,
    before: { '/spec': before, '/specs': null },
    after: { '/spec': after, '/specs': null },
    isDeleted: false,
  });

  it('is edited where it differs, in the quotes that were there', () => {
    const { changes } = handedOver({ 'p.yaml': text }, [handed(spec('8080'), spec('9090'))]);
    expect(changes[0]?.after).toBe(text.replace('"8080"', '"9090"'));
    const more = handedOver({ 'p.yaml': text }, [handed(spec('8080'), spec('8080', { egress: [{ toEntities: ['world'] }] }))]);
    expect(more.changes[0]?.after).toBe(`${text}  egress:\n    - toEntities:\n        - world\n`);
    expect(more.again.changes).toEqual([]);
  });

  it('that is new becomes a file, named in the kustomization', () => {
    const kustomization = 'resources:\n  - route.yaml # the way in\n';
    const made: Handed = {
      ref: POLICY,
      before: {},
      after: { '/spec': spec('8080') },
      isDeleted: false,
      isNew: true,
      manifest: { apiVersion: POLICY.apiVersion, kind: POLICY.kind, metadata: { name: 'web', namespace: 'shop' }, spec: spec('8080') },
    };
    const { changes, again } = handedOver({ 'apps/kustomization.yaml': kustomization }, [made], 'apps');
    expect(changes.map(({ path, before }) => [path, before === null])).toEqual([
      ['apps/ciliumnetworkpolicy-web.yaml', true],
      ['apps/kustomization.yaml', false],
    ]);
    expect(changes[1]?.after).toBe(`${kustomization}  - ciliumnetworkpolicy-web.yaml\n`);
    expect(again.changes).toEqual([]);
  });

  it('that is gone is taken out: its file, or its document', () => {
    const gone: Handed = { ref: POLICY, before: { '/spec': spec('8080') }, after: {}, isDeleted: true };
    const kustomization = 'resources:\n  - p.yaml\n  - route.yaml\n';
    const alone = handedOver({ 'p.yaml': text, 'kustomization.yaml': kustomization }, [gone]);
    expect(alone.changes).toEqual([
      { path: 'kustomization.yaml', before: kustomization, after: 'resources:\n  - route.yaml\n' },
      { path: 'p.yaml', before: text, after: null },
    ]);
    const both = handedOver({ 'all.yaml': `${text}---\n${ROUTE_YAML}` }, [gone]);
    expect(parseAllDocuments(both.changes[0]?.after ?? '').map((document) => document.get('kind'))).toEqual(['HTTPRoute']);
    expect(both.again.changes).toEqual([]);
  });
});
