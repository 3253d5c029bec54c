import * as z from 'zod';

/** `details` of a plan of encryption: what its steps must know beyond the writes. */
export const EncryptionDetails = z.object({
  opId: z.string(),
  change: z.enum(['on', 'off']),
  mode: z.enum(['wireguard', 'ipsec']),
  /** Cilium's namespace. */
  namespace: z.string(),
  /** Agents that may be away at once. */
  mostAway: z.number(),
  /** Nodes that each stage adds, by its number. */
  nodes: z.record(z.string(), z.array(z.string())),
  /** How long an agent may take to be ready again (ms). */
  agentMs: z.number(),
  /** Number of the stage that writes cilium-config and removes what told single nodes. */
  endStage: z.number(),
});
export type EncryptionDetails = z.infer<typeof EncryptionDetails>;

/** Every node that is changed once this stage stands. */
export function changedBy({ nodes }: EncryptionDetails, stage: number): readonly string[] {
  return Object.entries(nodes).flatMap(([number, names]) => (Number(number) <= stage ? names : []));
}
