// Stands in for a kubelet: gives a process of this machine what the pod of a Deployment would be given, read from the API server.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);

/** What a pod of the playground needs otherwise than one of a cluster, because its servers listen on loopback and nothing is mounted. */
export interface Here {
  readonly kubectl: string;
  readonly kubeconfig: string;
  /** Folder for what would be mounted. */
  readonly dir: string;
  /** Texts of the configuration that are others here. Each must be there. */
  readonly replaced: readonly { readonly from: string; readonly to: string }[];
  /** Environment that is other here. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Pod {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly configFile: string;
}

const Volume = z.object({
  name: z.string(),
  configMap: z.object({ name: z.string() }).optional(),
  secret: z.object({ secretName: z.string() }).optional(),
});
const Variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string(), optional: z.boolean().default(false) }) }).optional(),
});
const Deployment = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z
          .array(
            z.object({
              args: z.array(z.string()),
              env: z.array(Variable),
              volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
            }),
          )
          .length(1),
        volumes: z.array(Volume),
      }),
    }),
  }),
});
const Data = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** Reads the Deployment, and what it mounts and is given, as the API server has them now. Rejects where something of it is missing. */
export async function podOf(name: string, here: Here): Promise<Pod> {
  const get = async (kind: string, object: string): Promise<unknown> => {
    const args = ['--kubeconfig', here.kubeconfig, '-n', 'meshops', 'get', kind, object, '-o', 'json'];
    return JSON.parse((await run(here.kubectl, args)).stdout);
  };
  const secret = async (object: string): Promise<ReadonlyMap<string, Buffer>> => {
    const { data } = Data.parse(await get('secret', object));
    return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
  };
  const { spec } = Deployment.parse(await get('deployment', name)).spec.template;
  const [container] = spec.containers;
  if (!container) throw new Error(`${name} has no container.`);
  const root = join(here.dir, name);
  const files = new Map<string, Buffer | string>();
  const mounted: string[] = [];
  for (const { name: volume, mountPath } of container.volumeMounts) {
    const source = spec.volumes.find((one) => one.name === volume);
    const content = source?.secret
      ? await secret(source.secret.secretName)
      : new Map(Object.entries(source?.configMap ? Data.parse(await get('configmap', source.configMap.name)).data : {}));
    if (source?.secret || source?.configMap) mounted.push(mountPath);
    for (const [key, value] of content) files.set(join(mountPath, key), value);
  }
  const configPath = container.args[container.args.indexOf('--config') + 1] ?? '';
  let config = String(files.get(configPath) ?? '');
  for (const { from, to } of here.replaced) {
    if (!config.includes(from)) throw new Error(`The configuration of ${name} has no "${from}".`);
    config = config.replaceAll(from, to);
  }
  // What is mounted lies under a folder of its own here.
  for (const path of mounted) config = config.replaceAll(`${path}/`, `${root}${path}/`);
  files.set(configPath, config);
  for (const [path, content] of files) {
    await mkdir(dirname(`${root}${path}`), { recursive: true });
    await writeFile(`${root}${path}`, content, { mode: 0o600 });
  }
  const env: Record<string, string> = {};
  for (const { name: variable, value, valueFrom } of container.env) {
    const ref = valueFrom?.secretKeyRef;
    const given = ref ? (await secret(ref.name)).get(ref.key)?.toString() : value;
    if (given !== undefined) env[variable] = given;
    else if (!ref?.optional) throw new Error(`The Secret ${ref?.name} has no ${ref?.key}.`);
  }
  return { args: container.args, env: { ...env, ...here.env }, configFile: `${root}${configPath}` };
}
