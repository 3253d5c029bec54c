import protobuf from 'protobufjs';

const FILES = ['flow/flow.proto', 'observer/observer.proto', 'relay/relay.proto'];

async function load(folder: string): Promise<protobuf.Root> {
  const root = new protobuf.Root();
  const resolve = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) => (target.startsWith('google/') ? resolve(origin, target) : `${folder}/${target}`);
  await root.load(FILES, { keepCase: true });
  return root;
}

function walk(namespace: protobuf.NamespaceBase): readonly protobuf.ReflectionObject[] {
  return namespace.nestedArray.flatMap((each) => [each, ...(each instanceof protobuf.Namespace ? walk(each) : [])]);
}

function wireOf(field: protobuf.Field): string {
  return [field.id, field.repeated ? 'repeated' : 'single', field.resolve().resolvedType?.fullName ?? field.type].join(' ');
}

/** What a version's protos say otherwise than the product's: fields and values that it does not have, and those that mean something else. */
export interface ProtoDifference {
  /** Not there: never sent, so the product sees nothing where it would read it. */
  readonly missing: readonly string[];
  /** The same name with another number or type: would be misread. */
  readonly changed: readonly string[];
}

/** Compares every message field, enum value and method that the product's protos in `ours` name with those in `theirs`. */
export async function compareProtos(ours: string, theirs: string): Promise<ProtoDifference> {
  const [mine, upstream] = await Promise.all([load(ours), load(theirs)]);
  const missing: string[] = [];
  const changed: string[] = [];
  const compare = (name: string, wanted: string | number, found: string | number | undefined): void => {
    if (found === undefined) missing.push(name);
    else if (found !== wanted) changed.push(`${name} (${found} instead of ${wanted})`);
  };
  for (const each of walk(mine)) {
    const name = each.fullName.slice(1);
    const other = upstream.lookup(each.fullName);
    if (each instanceof protobuf.Type) {
      const fields = other instanceof protobuf.Type ? other.fields : {};
      for (const field of each.fieldsArray)
        compare(`${name}.${field.name}`, wireOf(field), fields[field.name] && wireOf(fields[field.name] as protobuf.Field));
    } else if (each instanceof protobuf.Enum) {
      const values = other instanceof protobuf.Enum ? other.values : {};
      for (const [value, number] of Object.entries(each.values)) compare(`${name}.${value}`, number, values[value]);
    } else if (each instanceof protobuf.Service) {
      const methods = other instanceof protobuf.Service ? other.methods : {};
      for (const method of each.methodsArray) compare(`${name}.${method.name}`, method.requestType, methods[method.name]?.requestType);
    }
  }
  return { missing, changed };
}
