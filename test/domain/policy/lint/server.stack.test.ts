// What the lint says about the server is asked of a real one: its schema, what it prunes, and what it stores all the same.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findBinaries } from '../../../../playground/cluster/binaries.ts';
import { POLICY_SHAPE, type Shape } from '../../../../src/domain/policy/lint/schema.ts';
import { asRecord, type Raw } from '../../../../src/domain/policy/lint/view.ts';
import { startTestCluster, type TestCluster } from '../../../activities/support/cluster.ts';
import { BROKEN, policy } from './documents.ts';

const signal = AbortSignal.timeout(900_000);

describe.each(['ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies'])('the schema of %s', (name) => {
  it('has the keys that the lint allows, no more and no fewer', async () => {
    const { ciliumCrds } = await findBinaries({ env: process.env, os: process.platform, arch: process.arch, signal, progress: () => {} });
    const crd = parse(await readFile(join(ciliumCrds, `${name}.yaml`), 'utf8')) as {
      readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Raw } }[] };
    };
    const schema = asRecord(crd.spec.versions[0]?.schema.openAPIV3Schema['properties']) ?? {};
    for (const part of ['spec', 'specs'])
      expect(keysOfSchema(asRecord(schema[part]) ?? {})).toEqual(keysOfShape(inside(POLICY_SHAPE, part)));
    expect(told(inside(POLICY_SHAPE, 'spec'))).toEqual(asShape(asRecord(schema['spec']) ?? {}));
  });
});

/** Types, enums and bounds of the CRD, as the lint has them. Patterns are compared by what they let through, elsewhere. */
function asShape(schema: Raw): unknown {
  const required = (list: unknown): unknown =>
    Array.isArray(list) ? list.flatMap((one: { required: string[] }) => one.required).toSorted() : undefined;
  const item = asRecord(schema['items']);
  if (item) return { each: asShape(item), most: schema['maxItems'] === 0 ? undefined : schema['maxItems'] };
  if (schema['type'] === 'object') {
    const keys = Object.fromEntries(
      Object.entries(asRecord(schema['properties']) ?? {}).map(([key, inner]) => [key, asShape(asRecord(inner) ?? {})]),
    );
    const others = asRecord(schema['additionalProperties']);
    return {
      keys,
      required: Array.isArray(schema['required']) ? (schema['required'] as string[]).toSorted() : undefined,
      one: required(schema['oneOf']),
      some: required(schema['anyOf']),
      others: others && asShape(others),
    };
  }
  if (schema['x-kubernetes-int-or-string'] === true) return { type: 'whole or text' };
  if (schema['type'] === 'integer') return { type: 'whole', least: schema['minimum'], most: schema['maximum'] };
  if (schema['type'] === 'boolean') return { type: 'flag' };
  return { type: 'text', enum: schema['enum'], most: schema['maxLength'], least: schema['minLength'] };
}

function told(shape: Shape): unknown {
  if (shape === true) return true;
  if ('each' in shape) return { each: told(shape.each), most: shape.most };
  if ('type' in shape) {
    const { pattern: _compared, ...rest } = { pattern: undefined, ...shape };
    return rest;
  }
  const { keys, required, one, some, others } = shape;
  return {
    keys: Object.fromEntries(Object.entries(keys).map(([key, inner]) => [key, told(inner)])),
    required: required?.toSorted(),
    one: one?.toSorted(),
    some: some?.toSorted(),
    others: others && told(others),
  };
}

/** Every key with the path to it. */
function keysOfSchema(schema: Raw, path = ''): readonly string[] {
  const item = asRecord(schema['items']);
  if (item) return keysOfSchema(item, path);
  return Object.entries(asRecord(schema['properties']) ?? {})
    .flatMap(([key, inner]) => [`${path}.${key}`, ...keysOfSchema(asRecord(inner) ?? {}, `${path}.${key}`)])
    .toSorted();
}

function keysOfShape(shape: Shape, path = ''): readonly string[] {
  if (shape === true || 'type' in shape) return [];
  if ('each' in shape) return keysOfShape(shape.each, path);
  return Object.entries(shape.keys)
    .flatMap(([key, inner]) => [`${path}.${key}`, ...keysOfShape(inner, `${path}.${key}`)])
    .toSorted();
}

function inside(shape: Shape, key: string): Shape {
  return shape !== true && 'keys' in shape ? (shape.keys[key] ?? true) : true;
}

describe('a real apiserver', () => {
  let cluster: TestCluster;
  let number = 0;
  beforeAll(async () => {
    cluster = await startTestCluster(signal);
    await cluster.admin('POST', '/api/v1/namespaces', { metadata: { name: 'backend' } });
  });
  afterAll(() => cluster?.stop());

  /** What the server stores of the text, or its words of refusal. */
  async function stored(text: string, strict: boolean): Promise<Raw | string> {
    const object = parse(text) as { readonly kind: string; readonly metadata: Raw };
    const clusterwide = object.kind === 'CiliumClusterwideNetworkPolicy';
    const path = clusterwide ? 'ciliumclusterwidenetworkpolicies' : 'namespaces/backend/ciliumnetworkpolicies';
    const query = strict ? '?fieldValidation=Strict' : '?fieldValidation=Ignore';
    const named = { ...object, metadata: { ...object.metadata, name: `p${++number}` } };
    try {
      return asRecord(await cluster.admin('POST', `/apis/cilium.io/v2/${path}${query}`, named)) ?? {};
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  const documentsOf = (rule: string): readonly string[] => BROKEN.filter((one) => one.rule === rule).map(({ text }) => text);

  it.each(['http-action', 'policy-enforcement', 'namespace-selector', 'from-services', 'deny-l7', 'unknown-field', 'copied-rule'])(
    'stores what %s is about without the field, and refuses it only when asked strictly',
    async (rule) => {
      for (const text of documentsOf(rule)) {
        const kept = await stored(text, false);
        expect(typeof kept).toBe('object');
        expect(kept).not.toMatchObject({ spec: (parse(text) as Raw)['spec'] });
        expect(await stored(text, true)).toContain('unknown field');
      }
    },
  );

  it.each(['grpc-rules', 'kafka-rules'])('refuses the emptied rules of %s without naming the cause', async (rule) => {
    for (const text of documentsOf(rule)) {
      const words = await stored(text, false);
      expect(words).toContain('.rules');
      expect(words).not.toContain('unknown field');
    }
  });

  it.each([
    'empty-sections',
    'priority-annotation',
    'audit-annotation',
    'header-literal',
    'header-no-space',
    'fqdn-without-dns',
    'fqdn-void',
    'any-collision',
    'selector-namespace',
    'default-deny-alone',
    'deny-services',
    'empty-peers',
    'empty-section',
    'port-base',
    'http-glob',
    'http-host',
    'http-method',
    'http-path',
    'dns-peer',
    'fqdn-cluster',
    'namespace-label',
    'deny-covers-allow',
    'split-rule',
  ])('stores what %s is about as it is, even when asked strictly: only the lint sees it', async (rule) => {
    for (const text of documentsOf(rule)) expect(await stored(text, true)).toMatchObject({ spec: (parse(text) as Raw)['spec'] });
  });

  it('drops peers that were left empty even when asked strictly, which opens the ports to everybody', async () => {
    const [, leftEmpty = ''] = documentsOf('absent-peers');
    expect(leftEmpty).toContain('fromEndpoints: #');
    expect(await stored(leftEmpty, true)).toMatchObject({ spec: { ingress: [{ toPorts: expect.any(Array) }] } });
    expect(JSON.stringify(await stored(leftEmpty, true))).not.toContain('fromEndpoints');
  });

  it('refuses a bare address, entries of fromRequires and an unknown version', async () => {
    for (const rule of ['bare-ip', 'requires'])
      for (const text of documentsOf(rule)) expect(await stored(text, false)).toContain('is invalid');
    expect(await stored(policy('ingress: [{}]').replace('CiliumNetworkPolicy', 'CiliumNetworkPolicies'), false)).toEqual(
      expect.any(String),
    );
  });

  it('stores half of what the engine refuses', async () => {
    for (const rule of ['invalid', 'port-range'])
      for (const text of documentsOf(rule)) expect(await stored(text, true)).toMatchObject({ kind: 'CiliumNetworkPolicy' });
  });

  it.each(['schema', 'dns-empty'])('refuses what %s is about', async (rule) => {
    for (const text of documentsOf(rule)) expect(await stored(text, false)).toContain('is invalid');
  });
});
