// Commands, values and names that are handed around for Cilium's encryption and do not exist, with what to use instead.

interface WrongForm {
  readonly wrong: RegExp;
  readonly right: string;
}

const WRONG: readonly WrongForm[] = [
  {
    wrong: /userspaceFallback/i,
    right:
      'There is no value encryption.wireguard.userspaceFallback: the charts from 1.18 on have none, and Helm ignores it without a word. WireGuard needs a kernel of 5.6 or newer.',
  },
  {
    wrong: /cilium-wireguard-keys/i,
    right:
      'There is no secret cilium-wireguard-keys. Each node makes its own key: the public one is the annotation network.cilium.io/wg-pub-key of its CiliumNode, the private one never leaves the node.',
  },
  {
    wrong: /enableMutualTLS/i,
    right:
      'There is no value serviceMesh.enableMutualTLS. Mutual TLS is encryption.type=ztunnel (beta, by namespace) since Cilium 1.19; authentication.mutual.spire is deprecated.',
  },
  {
    wrong: /strictMode\.(enabled|cidr|allowRemoteNodeIdentities)/i,
    right: 'Since Cilium 1.20 the values of strict mode are encryption.strictMode.egress.enabled, .cidr and .allowRemoteNodeIdentities.',
  },
  {
    wrong: /encryptedOverlay/i,
    right: 'There is no encryption.ipsec.encryptedOverlay since Cilium 1.20: IPsec encrypts the overlay without it.',
  },
  {
    wrong: /prefer_chacha20|aes-?ni/i,
    right:
      'WireGuard knows ChaCha20-Poly1305 alone: there is no option for another cipher, and AES-NI does nothing for it. IPsec uses AES-GCM.',
  },
  {
    wrong: /cilium(-dbg)? +wg\b|wg +show/i,
    right: 'There is no cilium-dbg wg. In an agent: cilium-dbg encrypt status -o json.',
  },
  {
    wrong: /cilium +status.*encryption/i,
    right: 'cilium status has no line on encryption. On the command line: cilium encryption status --node-details.',
  },
  {
    wrong: /Node Encryption/,
    right: 'The text is NodeEncryption, in the line Encryption of cilium-dbg encrypt status.',
  },
  {
    wrong: /cilium +config +set/i,
    right: 'cilium config set deletes all agents and operators at once. Change node by node: a CiliumNodeConfig, then that agent alone.',
  },
];

/** What is right instead of something in this text; undefined where nothing in it is known to be wrong. */
export function rightForm(text: string): string | undefined {
  return WRONG.find(({ wrong }) => wrong.test(text))?.right;
}
