import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/domain/commands/parse.ts';

const encryption = (text: string) => parseCommand(text, { root: 'encryption' });

describe('the encryption verbs', () => {
  it.each([
    ['status', { kind: 'encryption status' }],
    ['status prod-eu', { kind: 'encryption status', cluster: 'prod-eu' }],
    ['ADVISE demo', { kind: 'encryption advise', cluster: 'demo' }],
    ['help', { kind: 'help', topic: 'encryption' }],
    ['help advise', { kind: 'help', topic: 'encryption advise' }],
    ['status --help', { kind: 'help', topic: 'encryption status' }],
  ])('%s', (text, command) => {
    expect(encryption(text)).toEqual(command);
    expect(parseCommand(`encryption ${text}`, { root: 'mesh' })).toEqual(command);
  });

  it.each([
    ['statsu', 'status'],
    ['state', 'status'],
    ['status Demo', 'status demo'],
    ['status demo now', 'status demo'],
    ['status --soak 2m', 'status'],
    ['rotate', 'advise'],
    ['strict on', 'advise'],
    ['disable', 'off'],
  ])('%s means %s', (text, meant) => {
    expect(encryption(text)).toMatchObject({ kind: 'misunderstood', didYouMean: meant });
  });

  it.each([
    ['on wireguard', 'encryption on', { kind: 'on', mode: 'wireguard' }, undefined],
    ['on WireGuard demo --steps 10,50', 'encryption on', { kind: 'on', mode: 'wireguard', steps: [10, 50] }, 'demo'],
    ['off', 'encryption off', { kind: 'off' }, undefined],
    ['window wireguard', 'encryption window', { kind: 'on', mode: 'wireguard', window: true }, undefined],
    ['window off demo', 'encryption window', { kind: 'off', window: true }, 'demo'],
    ['off demo', 'encryption off', { kind: 'off' }, 'demo'],
  ])('%s changes the whole cluster', (text, command, change, cluster) => {
    const target = { namespace: '*', name: '*', ...(cluster !== undefined && { cluster }) };
    expect(encryption(text)).toMatchObject({ kind: 'change', command, change, target });
    expect(parseCommand(`encryption ${text}`, { root: 'mesh' })).toMatchObject({ kind: 'change', command, change, target });
  });

  it.each([
    ['on', 'encryption on wireguard'],
    ['on ipsec', 'does not turn IPsec on'],
    ['on ztunnel', 'encryption on wireguard'],
    ['on wireguard demo now', 'one word too many'],
    ['off demo now', 'one word too many'],
  ])('%s is not understood', (text, words) => {
    expect(encryption(text)).toMatchObject({ kind: 'misunderstood', words: expect.stringContaining(words) });
  });

  it('says of a verb alone where it belongs', () => {
    expect(parseCommand('advise', { root: 'mesh' })).toMatchObject({ didYouMean: 'encryption advise' });
  });
});

describe('commands that are handed around and do not exist', () => {
  it.each([
    ['helm upgrade cilium --set encryption.wireguard.userspaceFallback=true', 'kernel of 5.6'],
    ['kubectl -n kube-system get secret cilium-wireguard-keys', 'network.cilium.io/wg-pub-key'],
    ['--set serviceMesh.enableMutualTLS=true', 'encryption.type=ztunnel'],
    ['cilium-dbg wg', 'cilium-dbg encrypt status'],
    ['cilium status | grep -i encryption', 'cilium encryption status'],
    ['kubectl exec cilium -- cilium-dbg encrypt status | grep "Node Encryption"', 'NodeEncryption'],
    ["echo 'options wireguard prefer_chacha20_poly1305=0'", 'ChaCha20-Poly1305'],
    ['--set encryption.strictMode.enabled=true', 'encryption.strictMode.egress.enabled'],
    ['--set encryption.ipsec.encryptedOverlay=true', 'encryptedOverlay'],
    ['cilium config set enable-wireguard true', 'all agents'],
  ])('%s is answered with the right form', (text, right) => {
    const answer = encryption(text);
    expect(answer).toMatchObject({ kind: 'misunderstood', words: expect.stringContaining(right) });
  });
});
