/** The Observer's definition as the simulator serves it: the product's own protos, and the fields that agents fill beside them. */
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import protobuf from 'protobufjs';

const protoFolder = fileURLToPath(new URL('../../../src/clients/hubble/proto', import.meta.url));

/** What the product does not read, and so skips on the wire (numbers of cilium v1.20.2 api/v1/flow/flow.proto). */
const unread = {
  Emitter: {
    field: ['emitter', 41],
    fields: [
      ['name', 1, 'string'],
      ['version', 2, 'string'],
    ],
  },
  Ethernet: {
    field: ['ethernet', 4],
    fields: [
      ['source', 1, 'string'],
      ['destination', 2, 'string'],
    ],
  },
  NetworkInterface: {
    field: ['interface', 28],
    fields: [
      ['index', 1, 'uint32'],
      ['name', 2, 'string'],
    ],
  },
  FileInfo: {
    field: ['file', 38],
    fields: [
      ['name', 1, 'string'],
      ['line', 2, 'uint32'],
    ],
  },
} as const;

const unreadPlain = [
  ['reply', 16, 'bool'],
  ['proxy_port', 29, 'uint32'],
] as const;

function extend(root: protobuf.Root): void {
  const flow = root.lookup('flow');
  if (!(flow instanceof protobuf.Namespace)) throw new Error('The protos have no package flow.');
  for (const [name, id, of] of unreadPlain) flow.lookupType('Flow').add(new protobuf.Field(name, id, of));
  for (const [name, { field, fields }] of Object.entries(unread)) {
    const type = new protobuf.Type(name);
    for (const [part, id, of] of fields) type.add(new protobuf.Field(part, id, of));
    flow.add(type);
    flow.lookupType('Flow').add(new protobuf.Field(field[0], field[1], name));
  }
}

/** The service. */
export function loadService(): ServiceDefinition {
  const root = new protobuf.Root();
  const resolve = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) => (target.startsWith('google/') ? resolve(origin, target) : `${protoFolder}/${target}`);
  root.loadSync('observer/observer.proto', { keepCase: true });
  extend(root);
  const definition = fromJSON(root.toJSON(), { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: false });
  const loaded = loadPackageDefinition(definition) as unknown as { observer: { Observer: { service: ServiceDefinition } } };
  return loaded.observer.Observer.service;
}
