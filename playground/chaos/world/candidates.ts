/** Policies that the workload's ConfigMap may offer. */
const head = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: backend
spec:
  endpointSelector:
    matchLabels:
      app: backend
`;

const FROM_CHECKOUT = `    - fromEndpoints:
        - matchLabels:
            app: checkout
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
`;
const FROM_WORLD = `    - fromEntities:
        - world
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
`;
const TO_DATABASE = `  egress:
    - toEndpoints:
        - matchLabels:
            app: database
      toPorts:
        - ports:
            - port: "5432"
              protocol: TCP
`;

export const CANDIDATES = {
  /** Allows all that is used. */
  fits: `${head}  ingress:\n${FROM_CHECKOUT}${FROM_WORLD}${TO_DATABASE}`,
  /** Forgets a peer inside the cluster: harmful. */
  forgets: `${head}  ingress:\n${FROM_WORLD}${TO_DATABASE}`,
  /** Forgets people outside. */
  closed: `${head}  ingress:\n${FROM_CHECKOUT}${TO_DATABASE}`,
  /** Lets the world read, and no more. */
  reads: `${head}  ingress:\n${FROM_CHECKOUT}${FROM_WORLD}          rules:\n            http:\n              - method: GET\n                path: /public/.*\n${TO_DATABASE}`,
  /** Everything, which nobody has approved before. */
  open: `${head}  ingress:\n    - fromEntities:\n        - all\n`,
} as const;
export type CandidateName = keyof typeof CANDIDATES;
export const CANDIDATE_NAMES = Object.keys(CANDIDATES) as readonly CandidateName[];
