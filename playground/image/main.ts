// `npm run image`: makes the production image here, upon a base of Debian's packages, and prints its size, times and software.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../cluster/failure.ts';
import { progressPrinter, step } from '../cluster/progress.ts';
import { buildImage, packageVersion, sbomOf } from './build.ts';
import { imageAbility } from './tools.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`Stopped by ${name}.`)));

async function main(): Promise<void> {
  const out = process.argv[2];
  const progress = progressPrinter(process.stdout);
  const dir = await mkdtemp(join(tmpdir(), 'meshops-image-'));
  await step(progress, 'image', async (say) => {
    const machine = { env: process.env, signal: stop.signal, say, uid: process.getuid?.() };
    const ability = await imageAbility(machine);
    if (!ability.able) throw new Error(`The image cannot be made here: ${ability.why}`);
    const image = await buildImage(dir, await packageVersion(), ability.release, machine);
    try {
      const sbom = await sbomOf(image);
      if (out !== undefined) await writeFile(out, sbom);
      const parts = (JSON.parse(sbom) as { readonly components: readonly unknown[] }).components.length;
      const seconds = Object.entries(image.times).map(([name, ms]) => `${name} ${(ms / 1000).toFixed(1)} s`);
      const detail = `${image.name}: ${Math.round(image.bytes / 1e6)} MB, ${parts} packages in its list of software; ${seconds.join(', ')}`;
      return { value: undefined, detail };
    } finally {
      await image.close();
    }
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
});
