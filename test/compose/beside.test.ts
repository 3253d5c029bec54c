import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBotThread } from '../../src/compose/beside.ts';
import { readEnvironment } from '../../src/config/environment.ts';

const CONFIG = `# It is refused before it is connected.
clusters: {demo: {kubernetes: {context: demo}, hubble: {relay: "127.0.0.1:1"}}}
channels: [{id: C0MESH, cluster: demo, namespace: backend}]
identities: {rules: [{email: "*@example.com", groups: [mesh-operators]}]}
gates: [{approvers: {usergroups: [S0REVIEWERS]}}]
slack: {mode: http, teamIds: [T0MESHOPS]}
`;

test('a bot that cannot start beside the workers says why, and its thread is gone', { timeout: 60_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'beside-'));
  try {
    const configPath = join(dir, 'meshops.yaml');
    await writeFile(configPath, CONFIG);
    const bare = startBotThread(
      { environment: readEnvironment({ LOG_LEVEL: 'silent' }), configPath },
      { ready: [], metrics: async () => [] },
    );
    await expect(bare.running).rejects.toThrow('SLACK_BOT_TOKEN is not set');
    await bare.stop();
  } finally {
    await rm(dir, { recursive: true });
  }
});
