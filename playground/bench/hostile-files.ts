// Files that are made to cost time, as one member may attach them: up to 255 KiB each.
const HEAD =
  'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: backend}\nspec:\n  endpointSelector: {}\n';
const LARGEST = 255 * 1024;

function filled(head: string, line: (index: number) => string, bytes = LARGEST): string {
  let text = head;
  for (let index = 0; text.length + 120 < bytes; index += 1) text += line(index);
  return text;
}

export const HOSTILE_FILES: readonly string[] = [
  filled(HEAD, (n) => `  k${n}: 1\n`),
  filled(`${HEAD}  ingress:\n    - fromCIDR:\n`, (n) => `        - 10.${n % 250}.${(n >> 8) % 250}.1\n`, 110_000),
  filled(
    `${HEAD}  ingress:\n`,
    (n) => `    - toPorts: [{ports: [{port: "${(n % 9_000) + 1}"}]${n % 2 ? ', rules: {http: [{}]}' : ''}}]\n`,
    90_000,
  ),
  filled(
    `${HEAD}  ingress:\n`,
    (n) => `    - toPorts: [{ports: [{port: "80"}], rules: {grpc: [{service: a.b, method: m${n}}]}}]\n`,
    90_000,
  ),
  filled('', () => '---\na: 1\n'),
  '['.repeat(LARGEST),
].map((text) => text.slice(0, LARGEST));
