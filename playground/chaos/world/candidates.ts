/** Policies that the workload's ConfigMap may offer. */
function headOf(name: string, label: string): string {
  return `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: ${name}
spec:
  endpointSelector:
    matchLabels:
      ${label}
`;
}
const head = headOf('backend', 'app: backend');

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

/** What is offered for the second workload: it selects the pods of the first as well. */
export const WIDE = `${headOf('shop', 'tier: shop')}  ingress:\n${FROM_CHECKOUT}${FROM_WORLD}${TO_DATABASE}`;

/** Specs of policies that other hands put over the same pods. */
export const OTHER_POLICIES = {
  /** Nobody but these come in. */
  guard: {
    endpointSelector: { matchLabels: { tier: 'shop' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: 'checkout' } }] }, { fromEntities: ['world'] }],
  },
  /** Whatever others allow, this is denied. */
  block: {
    endpointSelector: { matchLabels: { app: 'backend' } },
    enableDefaultDeny: { ingress: false, egress: false },
    ingressDeny: [{ fromEntities: ['world'], toPorts: [{ ports: [{ port: '9090', protocol: 'TCP' }] }] }],
  },
} as const;
export type OtherPolicy = keyof typeof OTHER_POLICIES;
export const OTHER_POLICY_NAMES = Object.keys(OTHER_POLICIES) as readonly OtherPolicy[];
