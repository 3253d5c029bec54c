import { readdir, readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { dataConverterOf } from '../../src/temporal/connection.ts';
import { workflowBundle } from '../support/bundle.ts';

// On a busy machine the bundle alone takes longer than a test may.
beforeAll(async () => void (await workflowBundle()), 180_000);

/**
 * Histories of every scenario as the real server recorded them (`npm run scenario -- <name> --record`). A change of the workflows that
 * would break an operation which is running now fails here: guard it with `patched()` and record the new path beside the old one.
 */
const folder = new URL('../histories/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith('.json.gz'));

describe('recorded operations', () => {
  it.each(names)('%s replays with the workflows of today', async (name) => {
    const json: unknown = JSON.parse(gunzipSync(await readFile(new URL(name, folder))).toString('utf8'));
    const [workflowBundleNow, history] = [await workflowBundle(), historyFromJSON(json)];
    const options = { workflowBundle: workflowBundleNow, replayName: name, dataConverter: dataConverterOf(undefined) };
    await Worker.runReplayHistory(options, history, 'mesh/demo/backend/backend');
  });

  it('there is one for each way an operation can end', () => {
    expect(names.length).toBeGreaterThan(0);
  });
});
