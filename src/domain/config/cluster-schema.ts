import * as z from 'zod';
import { Address, FilePath, HttpUrl, Label } from './values.ts';
import { GitOps, Ladders, Objectives, OwnTimings, TunnelWindow } from './watch-schema.ts';

/** How one cluster is reached: its API server, its flows, its metrics, its Gateways. */

/** Files are PEM. A client certificate has both, `certFile` and `keyFile`. */
export const Tls = z
  .strictObject({
    caFile: FilePath.optional(),
    certFile: FilePath.optional(),
    keyFile: FilePath.optional(),
    serverName: z.string().optional(),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: 'A client certificate needs both, `certFile` and `keyFile`.',
  });

const Hubble = z
  .strictObject({
    /** `nodes`: the addresses of the CiliumNodes; or the agents one by one. */
    agents: z
      .union([z.literal('nodes'), z.array(z.strictObject({ node: z.string().min(1), address: Address })).min(1)], {
        error: 'Write `nodes` (addresses come from the CiliumNodes) or a list of { node, address: host:port }.',
      })
      .optional(),
    /** Port of the agents when `agents: nodes`. */
    port: z.int().min(1).max(65_535).default(4244),
    relay: Address.optional(),
    /** Left out: plain text. */
    tls: Tls.optional(),
  })
  .refine(({ agents, relay }) => (agents === undefined) !== (relay === undefined), {
    error: 'Say how flows are read: either `agents` (direct, faster) or `relay`, not both.',
  });

const Kubernetes = z
  .strictObject({ inCluster: z.boolean().optional(), kubeconfig: FilePath.optional(), context: z.string().min(1).optional() })
  .refine(({ inCluster, kubeconfig, context }) => (inCluster === true) !== (kubeconfig !== undefined || context !== undefined), {
    error: 'Say how the cluster is reached: `inCluster: true`, or `context` and/or `kubeconfig`.',
  });

/** Before a canary gets weight one labelled request must be seen; `gateways` says how each is reached where its own address is not. */
const Probe = z.union([z.literal('off'), z.strictObject({ gateways: z.record(z.string().regex(/^[^/]+\/[^/]+$/), HttpUrl).default({}) })], {
  error: 'Write `off`, or `gateways` with lines of namespace/name: http://host:port.',
});

/** What a Prometheus behind a login wants. Files are read anew each time, so that what is renewed counts at once. */
const Prometheus = z
  .strictObject({
    url: HttpUrl,
    tls: Tls.optional(),
    /** Holds a token and nothing else. */
    bearerFile: FilePath.optional(),
    basic: z.strictObject({ user: z.string().min(1), passwordFile: FilePath }).optional(),
    /** Header X-Scope-OrgID of Mimir, Cortex and Thanos. */
    tenant: z
      .string()
      .regex(/^[\w.!*'()|-]+$/, "Letters, digits and . ! * ' ( ) | - alone.")
      .optional(),
  })
  .refine(({ bearerFile, basic }) => bearerFile === undefined || basic === undefined, {
    error: 'Either `bearerFile` or `basic`, not both.',
  });

export const Cluster = z.strictObject({
  kubernetes: Kubernetes,
  hubble: Hubble,
  /** A URL, or what else it needs. */
  prometheus: z.union([HttpUrl.transform((url) => ({ url })), Prometheus]).optional(),
  probe: Probe.default({ gateways: {} }),
  /** Where Cilium is installed: its ConfigMap cilium-config is there. */
  ciliumNamespace: Label.default('kube-system'),
  /** What is otherwise here than in all clusters. Of two entries of one scope, this one counts. */
  ladders: Ladders.default({}),
  objectives: Objectives.default({}),
  timings: OwnTimings.default({}),
  gitops: GitOps.optional(),
  tunnelWindow: TunnelWindow.optional(),
});
