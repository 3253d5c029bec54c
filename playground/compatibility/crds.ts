import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What meshops reads and writes of Cilium's objects, by CRD, as paths in the schema of version v2. `[]`: the items of a list. */
export const USED: Readonly<Record<string, readonly string[]>> = {
  ciliumnetworkpolicies: [
    'spec.endpointSelector.matchLabels',
    'spec.endpointSelector.matchExpressions',
    'spec.enableDefaultDeny.ingress',
    'spec.enableDefaultDeny.egress',
    'spec.ingress.[].fromEndpoints',
    'spec.ingress.[].fromEntities',
    'spec.ingress.[].fromCIDRSet',
    'spec.ingress.[].toPorts.[].rules.http',
    'spec.ingressDeny',
    'spec.egress.[].toEndpoints',
    'spec.egress.[].toServices',
    'spec.egress.[].toFQDNs',
    'spec.egress.[].toPorts.[].rules.dns',
    'spec.egressDeny',
    'spec.log.value',
    'specs',
    'status.conditions',
  ],
  ciliumclusterwidenetworkpolicies: ['spec.endpointSelector', 'spec.nodeSelector', 'specs'],
  ciliumendpoints: ['status.identity.id', 'status.identity.labels', 'status.networking.addressing'],
  ciliumnodes: ['spec.addresses'],
};

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly items?: Schema | undefined;
}
const Schema: z.ZodType<Schema> = z.lazy(() => z.object({ properties: z.record(z.string(), Schema).optional(), items: Schema.optional() }));
const Crd = z.object({
  spec: z.object({
    versions: z.array(z.object({ name: z.string(), served: z.boolean(), schema: z.object({ openAPIV3Schema: Schema }) })),
  }),
});

function has(schema: Schema | undefined, [step, ...rest]: readonly string[]): boolean {
  if (schema === undefined) return false;
  if (step === undefined) return true;
  return has(step === '[]' ? schema.items : schema.properties?.[step], rest);
}

/** Paths that a version's CRDs do not have; `<kind>: v2 is not served` where the API itself is missing. */
export async function missingPaths(folder: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [kind, paths] of Object.entries(USED)) {
    const crd = Crd.parse(parse(await readFile(join(folder, `${kind}.yaml`), 'utf8')));
    const v2 = crd.spec.versions.find(({ name, served }) => name === 'v2' && served);
    if (!v2) missing.push(`${kind}: v2 is not served`);
    else missing.push(...paths.filter((path) => !has(v2.schema.openAPIV3Schema, path.split('.'))).map((path) => `${kind}: ${path}`));
  }
  return missing;
}
