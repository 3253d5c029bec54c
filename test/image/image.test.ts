import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import * as z from 'zod';
import { examples, renderChart } from '../../playground/chart/render.ts';
import { findClients } from '../../playground/cluster/binaries.ts';
import { VERSIONS } from '../../playground/cluster/versions.ts';
import { buildImage, type Image, packageVersion, sbomOf } from '../../playground/image/build.ts';
import { type Confinement, type Mount, runImage } from '../../playground/image/run.ts';
import { imageAbility, type Machine } from '../../playground/image/tools.ts';
import { type ConfigOptions, configOf } from '../../playground/rig/config.ts';
import { type Rig, startRig } from '../../playground/rig/rig.ts';
import { manifestsIn } from '../manifests/files.ts';

/** The Dockerfile, built and run as its pod would be; where a machine cannot, one line says why, and under CI that is a failure. */
const stop = new AbortController();
const { signal } = stop;
const machine: Machine = { env: process.env, signal, say: () => undefined, uid: process.getuid?.() };
const ability = await imageAbility(machine);
if (!ability.able) console.log(`The image is not tried here: ${ability.why}`);

const SecurityContext = z.object({
  readOnlyRootFilesystem: z.boolean(),
  allowPrivilegeEscalation: z.boolean(),
  capabilities: z.object({ drop: z.array(z.string()), add: z.array(z.string()).default([]) }),
});
const Pod = z.object({
  template: z.object({
    spec: z.object({
      securityContext: z.object({ runAsUser: z.int(), runAsGroup: z.int() }),
      containers: z.array(z.object({ securityContext: SecurityContext })).min(1),
    }),
  }),
});

/** How the chart confines its pods. */
async function confinementOfChart(): Promise<Confinement> {
  const { helm } = await findClients({ env: process.env, os: process.platform, arch: process.arch, signal, progress: () => undefined });
  const values = [(await examples()).get('base') ?? ''];
  const manifests = manifestsIn(await renderChart({ helm, values, kubeVersion: VERSIONS.kubernetes }));
  const { spec } = Pod.parse(manifests.find((one) => one.kind === 'Deployment')?.['spec']).template;
  const context = spec.containers[0]?.securityContext;
  expect(context?.capabilities).toEqual({ drop: ['ALL'], add: [] });
  return {
    uid: spec.securityContext.runAsUser,
    gid: spec.securityContext.runAsGroup,
    readOnlyRootFilesystem: context?.readOnlyRootFilesystem ?? false,
    allowPrivilegeEscalation: context?.allowPrivilegeEscalation ?? true,
    capabilities: [],
  };
}

it.skipIf(!ability.able && process.env['CI'] === undefined)('can be made here, or at least where it is required', () => {
  expect(ability).toMatchObject({ able: true });
});

describe.skipIf(!ability.able)('the image', () => {
  let image: Image;
  let confinement: Confinement;
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'meshops-image-'));
    confinement = await confinementOfChart();
    image = await buildImage(join(scratch, 'image'), await packageVersion(), ability.able ? ability.release : '', machine);
    const { base, build, unpack } = image.times;
    const seconds = ((base + build + unpack) / 1000).toFixed(0);
    console.log(`${image.name}: ${Math.round(image.bytes / 1e6)} MB unpacked, made in ${seconds} s`);
  });
  afterAll(async () => {
    await image?.close();
    if (scratch) await rm(scratch, { recursive: true, force: true });
    stop.abort();
  });
  let runs = 0;
  const run = (args: readonly string[], mounts: readonly Mount[] = [], env: Readonly<Record<string, string>> = {}) =>
    runImage(image, { args, env, mounts, confinement }, join(scratch, `run-${++runs}`), machine);

  it('is configured to run as nobody in particular, and says what it is', async () => {
    const version = await packageVersion();
    expect(image.config).toMatchObject({ User: '10001:10001', WorkingDir: '/app' });
    expect([image.config.Entrypoint[0], image.config.Entrypoint.at(-1)]).toEqual(['node', 'src/main.ts']);
    expect(image.config.Labels).toMatchObject({ 'org.opencontainers.image.version': version });
    expect(image.bytes).toBeLessThan(700e6);
  });

  it('has the product and its licence, and no test, playground, document or compiler', async () => {
    for (const name of ['LICENSE', 'src/main.ts', 'workflows', 'activities', 'node_modules/@temporalio/worker'])
      await expect(stat(join(image.root, 'app', name)), name).resolves.toBeDefined();
    for (const name of ['test', 'playground', 'docs', 'charts', 'node_modules/vitest', 'node_modules/node', 'package-lock.json'])
      await expect(stat(join(image.root, 'app', name)), name).rejects.toThrow('ENOENT');
  });

  it('brings the list of its software, each package at the version of the lock', async () => {
    const Sbom = z.object({
      bomFormat: z.literal('CycloneDX'),
      components: z.array(z.object({ name: z.string(), group: z.string().optional(), version: z.string() })),
    });
    const { components } = Sbom.parse(JSON.parse(await sbomOf(image)));
    const lock = z
      .object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })
      .parse(JSON.parse(await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8')));
    const locked = new Set(
      Object.entries(lock.packages).map(([path, { version = '' }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`),
    );
    const listed = components.map(({ name, group, version }) => `${group ? `${group}/` : ''}${name}@${version}`);
    expect(listed.length).toBeGreaterThan(100);
    expect(listed.filter((name) => !locked.has(name))).toEqual([]);
    console.log(`${listed.length} packages in its list of software`);
  });

  it('can write nothing but /tmp, gains no right, and is not root', async () => {
    const look = join(scratch, 'look.mjs');
    await writeFile(
      look,
      `import { readFileSync, writeFileSync } from 'node:fs';
       const writes = (path) => { try { writeFileSync(path, 'x'); return 'ok'; } catch (error) { return error.code; } };
       const status = readFileSync('/proc/self/status', 'utf8');
       console.log(JSON.stringify({ uid: process.getuid(), app: writes('/app/x'), root: writes('/x'), tmp: writes('/tmp/x'),
         caps: /CapEff:\\s*(\\w+)/.exec(status)[1], bounding: /CapBnd:\\s*(\\w+)/.exec(status)[1], gains: /NoNewPrivs:\\s*(\\d)/.exec(status)[1] }));`,
    );
    const own = { ...image, config: { ...image.config, Entrypoint: ['node'] } };
    const options = { args: ['/look.mjs'], env: {}, mounts: [{ from: look, to: '/look.mjs' }], confinement };
    const { stdout, tail } = await runImage(own, options, join(scratch, 'look'), machine);
    const none = '0000000000000000';
    expect(JSON.parse(stdout || JSON.stringify(tail))).toEqual({
      uid: 10001,
      app: 'EROFS',
      root: 'EROFS',
      tmp: 'ok',
      caps: none,
      bounding: none,
      gains: '1',
    });
  });

  it('explains its commands', async () => {
    const { code, stdout } = await run(['--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('doctor')]);
  });

  describe('beside the playground', () => {
    let rig: Rig;
    let given: ConfigOptions;
    beforeAll(async () => {
      const options = { signal, progress: () => undefined, preset: 'ideal', seed: 1, pace: 'fast', split: false } as const;
      rig = await startRig({
        ...options,
        writeConfig: async (file, one) => {
          given = one;
          await writeFile(file, stringify(configOf(one)));
          return undefined;
        },
      });
    });
    afterAll(() => rig?.stop());

    /** What a kubelet would mount, with the configuration on these ports. */
    async function mounted(httpPort: number, metricsPort: number): Promise<readonly Mount[]> {
      const config = join(scratch, 'meshops.yaml');
      const tls = { caFile: '/etc/meshops/hubble/ca.crt', certFile: '/etc/meshops/hubble/tls.crt', keyFile: '/etc/meshops/hubble/tls.key' };
      const inside = configOf({
        ...given,
        kubeconfig: '/etc/meshops/kubeconfig',
        hubble: { ...given.hubble, tls },
        database: '/tmp/meshops.db',
        httpPort,
        metricsPort,
      });
      await writeFile(config, stringify(inside), { mode: 0o644 });
      // As a Secret mounts them: readable for the pod's group and for nobody else's.
      const readable = async (from: string, name: string): Promise<string> => {
        const path = join(scratch, name);
        const text = (await readFile(from, 'utf8')).replaceAll(rig.stack.kube.caFile, '/etc/meshops/kube-ca.crt');
        await writeFile(path, text, { mode: 0o644 });
        return path;
      };
      return [
        { from: config, to: '/etc/meshops/config/meshops.yaml' },
        { from: await readable(given.kubeconfig, 'kubeconfig'), to: '/etc/meshops/kubeconfig' },
        { from: await readable(rig.stack.kube.caFile, 'kube-ca.crt'), to: '/etc/meshops/kube-ca.crt' },
        { from: await readable(given.hubble.tls.caFile, 'ca.crt'), to: tls.caFile },
        { from: await readable(given.hubble.tls.certFile, 'tls.crt'), to: tls.certFile },
        { from: await readable(given.hubble.tls.keyFile, 'tls.key'), to: tls.keyFile },
      ];
    }

    const secrets = () => ({ SLACK_BOT_TOKEN: rig.slackApp.botToken, SLACK_SIGNING_SECRET: rig.slackApp.signingSecret });

    it('finds everything that it needs: meshops doctor passes', async () => {
      const args = ['doctor', '--config', '/etc/meshops/config/meshops.yaml'];
      const { code, stdout, tail } = await run(args, await mounted(0, 0), secrets());
      expect([code, stdout || tail]).toEqual([0, expect.stringContaining('Everything that meshops needs is there.')]);
      expect(stdout).not.toContain('✗');
    });

    it('runs, confined as it is: bot and worker get ready with the workflows that lie in it', async () => {
      const [port, metrics] = [await rig.stack.ports.take('image'), await rig.stack.ports.take('image metrics')];
      const ended = new AbortController();
      const options = { args: image.config.Cmd, env: secrets(), mounts: await mounted(port, metrics), confinement };
      const running = runImage(image, options, join(scratch, 'serving'), { ...machine, signal: ended.signal }).catch(
        (error: unknown) => error,
      );
      const ready = () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ status }) => status,
          () => 0,
        );
      try {
        await expect.poll(ready, { timeout: 90_000, interval: 500 }).toBe(200);
      } finally {
        ended.abort(new Error('seen'));
        await running;
      }
      expect(await ready()).toBe(0);
    });
  });
});
