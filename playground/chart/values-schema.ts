import * as z from 'zod';
import { Config } from '../../src/domain/config/schema.ts';

/** The shape of the chart's values. Unknown keys are refused: a misspelt value is never silently a default. */

const Name = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
const Labels = z.record(z.string(), z.string());
const Open = z.record(z.string(), z.unknown());
const Port = z.int().min(1).max(65_535);

const Resources = z.strictObject({ requests: Open.optional(), limits: Open.optional(), claims: z.array(Open).optional() });
const Process = {
  enabled: z.boolean(),
  replicas: z.int().min(1),
  resources: Resources,
  nodeSelector: Labels,
  tolerations: z.array(Open),
  affinity: Open,
};

const Namespace = z.strictObject({
  operators: z.array(z.string().min(1)).optional(),
  users: z.array(z.string().min(1)).optional(),
  policies: z.boolean().optional(),
  policyConfigMaps: z.boolean().optional(),
});

const Values = z.strictObject({
  nameOverride: z.string(),
  fullnameOverride: z.string(),
  image: z.strictObject({
    repository: z.string().min(1),
    tag: z.string(),
    digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    pullSecrets: z.array(Name),
  }),
  config: z.unknown(),
  clusterSecrets: z.record(
    z.string(),
    z.strictObject({ hubble: Name.optional(), kubeconfig: Name.optional(), context: z.string().optional() }),
  ),
  secrets: z.strictObject({ name: Name }),
  secretMounts: z.record(Name, z.string().regex(/^\//)),
  env: z.array(z.looseObject({ name: z.string().min(1) })),
  postgres: z.strictObject({ enabled: z.boolean() }),
  single: z.strictObject({ enabled: z.boolean(), storage: z.strictObject({ size: z.string(), storageClassName: z.string() }) }),
  bot: z.strictObject(Process),
  worker: z.strictObject({ ...Process, perCluster: z.boolean() }),
  serviceAccount: z.strictObject({ annotations: Labels }),
  rbac: z.strictObject({ create: z.boolean(), gitops: z.boolean(), people: z.array(z.string().regex(/^[^\s@*]+@[^\s@]+$/)) }),
  encryption: z.strictObject({ operators: z.array(z.string().min(1)), users: z.array(z.string().min(1)) }),
  namespaces: z.record(Name, Namespace),
  admission: z.strictObject({ enabled: z.boolean() }),
  networkPolicy: z.strictObject({
    enabled: z.boolean(),
    metricsFrom: z.array(Name),
    ingressFrom: z.array(Name),
    egressPorts: z.array(Port),
    extraEgress: z.array(Open),
  }),
  podDisruptionBudget: z.strictObject({ enabled: z.boolean() }),
  ingress: z.strictObject({
    enabled: z.boolean(),
    className: z.string(),
    host: z.string(),
    tlsSecret: z.string(),
    annotations: Labels,
  }),
  serviceMonitor: z.strictObject({ enabled: z.boolean(), interval: z.string(), labels: Labels }),
  prometheusRule: z.strictObject({ enabled: z.boolean(), labels: Labels }),
  dashboards: z.strictObject({ enabled: z.boolean(), labels: Labels }),
  namespace: z.strictObject({ create: z.boolean() }),
  // Helm's own: values for charts above this one.
  global: Open.optional(),
});

type Schema = { properties?: Record<string, Schema>; required?: string[]; additionalProperties?: Schema };

function asJson(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7' }) as unknown as Schema;
}

/** The JSON schema of the values. `config` is the schema of meshops.yaml, but for what the chart fills in. */
export function valuesSchema(): object {
  const values = asJson(Values);
  const config = asJson(Config);
  const cluster = config.properties?.['clusters']?.additionalProperties;
  if (!cluster?.required || !values.properties) throw new Error('The schema of meshops.yaml has another shape than the chart expects.');
  cluster.required = cluster.required.filter((name) => name !== 'kubernetes');
  const { $schema: _, ...rest } = config as Schema & { $schema?: string };
  values.properties['config'] = rest;
  return values;
}
