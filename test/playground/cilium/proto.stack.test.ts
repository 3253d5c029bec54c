import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { beforeAll, expect, test } from 'vitest';
import { findBinaries } from '../../../playground/cluster/binaries.ts';

const ours = fileURLToPath(new URL('../../../src/clients/hubble/proto', import.meta.url));
const files = ['flow/flow.proto', 'observer/observer.proto', 'relay/relay.proto'];

async function load(folder: string): Promise<protobuf.Root> {
  const root = new protobuf.Root();
  const resolve = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) => (target.startsWith('google/') ? resolve(origin, target) : `${folder}/${target}`);
  await root.load(files, { keepCase: true });
  return root;
}

let mine: protobuf.Root;
let upstream: protobuf.Root;

beforeAll(async () => {
  const search = {
    env: process.env,
    os: process.platform,
    arch: process.arch,
    signal: new AbortController().signal,
    progress: () => undefined,
  };
  const { ciliumProtos } = await findBinaries(search);
  [mine, upstream] = await Promise.all([load(ours), load(ciliumProtos)]);
});

function walk(namespace: protobuf.NamespaceBase): readonly protobuf.ReflectionObject[] {
  return namespace.nestedArray.flatMap((each) => [each, ...(each instanceof protobuf.Namespace ? walk(each) : [])]);
}

const inPackages = (root: protobuf.Root) => walk(root).filter((each) => /^\.(flow|observer|relay)\./.test(each.fullName));

function describeField(field: protobuf.Field): string {
  return [
    field.id,
    field.repeated ? 'repeated' : 'single',
    field.resolve().resolvedType?.fullName ?? field.type,
    field.partOf?.name ?? '',
  ].join(' ');
}

test('every message field has the number, type, repetition and oneof of upstream', () => {
  const messages = inPackages(mine).filter((each) => each instanceof protobuf.Type);
  expect(messages.length).toBeGreaterThan(25);
  for (const message of messages) {
    const theirs = upstream.lookupType(message.fullName);
    const of = (type: protobuf.Type) => Object.fromEntries(type.fieldsArray.map((field) => [field.name, describeField(field)]));
    const known = of(theirs);
    for (const [name, description] of Object.entries(of(message)))
      expect(`${message.fullName}.${name} ${description}`).toBe(`${message.fullName}.${name} ${known[name]}`);
  }
});

test('every enum value has the number of upstream', () => {
  const enums = inPackages(mine).filter((each) => each instanceof protobuf.Enum);
  expect(enums.length).toBeGreaterThan(8);
  for (const each of enums) {
    const { values } = upstream.lookupEnum(each.fullName);
    for (const [name, number] of Object.entries(each.values))
      expect(`${each.fullName}.${name} = ${number}`).toBe(`${each.fullName}.${name} = ${values[name]}`);
  }
});

test('every method of the Observer is one of upstream, with the same messages and streaming', () => {
  const describeMethods = (root: protobuf.Root) =>
    Object.fromEntries(
      root
        .lookupService('observer.Observer')
        .methodsArray.map((method) => [method.name, [method.requestType, method.responseType, method.responseStream ?? false].join(' ')]),
    );
  expect(describeMethods(upstream)).toMatchObject(describeMethods(mine));
});
