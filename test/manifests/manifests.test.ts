import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { chatMethods } from '../../playground/slack/methods/chat.ts';
import { conversationMethods } from '../../playground/slack/methods/conversations.ts';
import { peopleMethods } from '../../playground/slack/methods/people.ts';
import { uploadMethods } from '../../playground/slack/methods/uploads.ts';
import { parseConfig } from '../../src/domain/config/parse.ts';
import { kubernetesIdentity } from '../../src/domain/config/use.ts';
import { createTelemetry } from '../../src/telemetry.ts';
import { type Manifest, manifestsOf, pathOf, textOf, yamlOf } from './files.ts';

const base = manifestsOf('manifests/base');
const Rules = z.array(
  z.object({
    apiGroups: z.array(z.string()),
    resources: z.array(z.string()),
    verbs: z.array(z.string()),
    resourceNames: z.array(z.string()).optional(),
  }),
);

function rulesOf(name: string): z.infer<typeof Rules> {
  const role = base.find((one) => one.kind.endsWith('Role') && one.metadata.name === name);
  return Rules.parse(role?.['rules']);
}

function dataOf(manifest: Manifest | undefined): Readonly<Record<string, string>> {
  return z.record(z.string(), z.string()).parse(manifest?.['data']);
}

describe('the examples of meshops.yaml', () => {
  const configMap = base.find((one) => one.kind === 'ConfigMap');
  it.each([
    ['manifests/base/config.yaml', dataOf(configMap)['meshops.yaml'] ?? ''],
    ['docs/meshops.example.yaml', textOf('docs/meshops.example.yaml')],
  ])('%s is accepted', (_, text) => {
    expect(parseConfig(parse(text))).toMatchObject({ ok: true });
  });

  it('impersonates exactly the people and groups of the example', () => {
    const parsed = parseConfig(parse(dataOf(configMap)['meshops.yaml'] ?? ''));
    if (!parsed.ok) throw new Error('the example is not accepted');
    const rules = rulesOf('meshops-impersonate');
    const named = (resource: string): readonly string[] => rules.find((rule) => rule.resources.includes(resource))?.resourceNames ?? [];
    const people = parsed.config.identities.rules.map((rule) => kubernetesIdentity(parsed.config, rule.email)?.user ?? '');
    expect(named('users').toSorted()).toEqual(people.toSorted());
    expect(named('groups').toSorted()).toEqual([...new Set(parsed.config.identities.rules.flatMap((rule) => rule.groups))].toSorted());
  });

  it('impersonates names of its own alone: nobody logs in with them, and admission holds for them', () => {
    const names = rulesOf('meshops-impersonate').flatMap((rule) => rule.resourceNames ?? ['*']);
    expect(names.filter((name) => !name.startsWith('meshops:'))).toEqual([]);
    const policies = base.filter((one) => one.kind === 'ValidatingAdmissionPolicy');
    expect(policies).toHaveLength(5);
    for (const policy of policies) expect(JSON.stringify(policy)).toContain("request.userInfo.username.startsWith('meshops:')");
  });
});

describe('the rights', () => {
  const roles = base.filter((one) => one.kind === 'Role' || one.kind === 'ClusterRole');

  it('name every resource and verb: no wildcard, no secret, nothing to create or delete but policies and what tells nodes, nothing to delete but these and agents', () => {
    for (const role of roles) {
      for (const rule of Rules.parse(role['rules'])) {
        expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain('*');
        expect(rule.resources).not.toContain('secrets');
        const read = ['get', 'list', 'watch', 'patch', 'impersonate'];
        const isOwn = rule.resources.every((resource) => ['ciliumnetworkpolicies', 'ciliumnodeconfigs'].includes(resource));
        // Which pods, admission says.
        const isAgents = rule.resources.join() === 'pods' && role.metadata.namespace === 'kube-system';
        const written = isOwn ? [...read, 'create', 'delete'] : isAgents ? [...read, 'delete'] : read;
        const allowed = rule.resources.includes('selfsubjectaccessreviews') ? ['create'] : written;
        expect(allowed).toEqual(expect.arrayContaining(rule.verbs));
      }
    }
  });

  it('let nobody be impersonated who is not named, and nobody of Kubernetes itself', () => {
    for (const rule of roles.flatMap((role) => Rules.parse(role['rules'])).filter((one) => one.verbs.includes('impersonate'))) {
      expect(rule.resourceNames?.length).toBeGreaterThan(0);
      expect(rule.resourceNames?.filter((name) => name.startsWith('system:'))).toEqual([]);
    }
  });

  it('patch nothing in the whole cluster', () => {
    const cluster = base
      .filter((one) => one.kind === 'ClusterRoleBinding')
      .map((one) => z.object({ name: z.string() }).parse(one['roleRef']).name);
    for (const name of cluster) expect(rulesOf(name).flatMap((rule) => rule.verbs)).not.toContain('patch');
  });
});

describe('the pods', () => {
  const deployments = base.filter((one) => one.kind === 'Deployment');

  it.each(deployments.map((one) => [one.metadata.name, one] as const))('%s is confined and probed', (_, deployment) => {
    const text = JSON.stringify(deployment);
    for (const words of [
      '"runAsNonRoot":true',
      '"readOnlyRootFilesystem":true',
      '"allowPrivilegeEscalation":false',
      '"drop":["ALL"]',
      '/healthz',
      '/readyz',
    ]) {
      expect(text).toContain(words);
    }
    expect(deployment['spec']).toMatchObject({ replicas: 2 });
    expect(text).toContain('{"name":"MESHOPS_REPLICAS","value":"2"}');
  });

  it('take secrets by reference only', () => {
    const folder = readdirSync(pathOf('manifests/base'));
    const all = folder.map((name) => textOf(`manifests/base/${name}`)).join('\n');
    expect(base.filter((one) => one.kind === 'Secret')).toEqual([]);
    expect(all).not.toMatch(/xox[abp]-|xapp-|postgres:\/\/[^\s]*:[^\s]*@/);
  });
});

describe('the Slack app', () => {
  const Manifest = z.object({
    features: z.object({ slash_commands: z.array(z.object({ command: z.string(), should_escape: z.boolean() })) }),
    oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }),
  });
  const app = Manifest.parse(yamlOf('manifests/slack/app-manifest.yaml'));

  it('has Slack escape names in every command', () => {
    expect(app.features.slash_commands.map((one) => one.command)).toEqual(['/mesh', '/policy', '/encryption']);
    expect(app.features.slash_commands.every((one) => one.should_escape)).toBe(true);
  });

  it('has the scope of every method that is called', () => {
    const methods = { ...chatMethods, ...conversationMethods, ...peopleMethods, ...uploadMethods };
    const called = [
      'chat.postMessage chat.update chat.postEphemeral conversations.history conversations.replies conversations.info',
      'users.info users.lookupByEmail usergroups.users.list files.getUploadURLExternal files.completeUploadExternal',
    ].flatMap((line) => line.split(' '));
    for (const name of called) {
      expect(Object.keys(methods)).toContain(name);
      const scope = methods[name]?.scope;
      if (scope) expect(app.oauth_config.scopes.bot).toContain(scope);
    }
  });
});

describe('docker-compose.yml', () => {
  const Service = z.looseObject({
    image: z.string(),
    command: z.array(z.string()).optional(),
    ports: z.array(z.string()).default([]),
    depends_on: z.record(z.string(), z.unknown()).default({}),
    volumes: z.array(z.string()).default([]),
  });
  const compose = z
    .object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.unknown()) })
    .parse(yamlOf('docker-compose.yml'));

  it('has bot, worker, Temporal, Postgres and Prometheus, each at a fixed version', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual(['bot', 'postgres', 'prometheus', 'temporal', 'worker']);
    for (const { image } of Object.values(compose.services)) expect(image).toMatch(/:v?\d[\w.-]+$/);
  });

  it.skipIf(process.getuid?.() !== 0)("runs as the kubeconfig's owner, who alone may read it; the image's own user may not", () => {
    const variables = new Map([...textOf('.env.example').matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
    const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
    const file = join(folder, 'config');
    writeFileSync(file, 'apiVersion: v1\n', { mode: 0o600 });
    const reads = (uid: number, gid: number): boolean => {
      try {
        execFileSync('cat', [file], { uid, gid, stdio: ['ignore', 'pipe', 'ignore'] });
        return true;
      } catch {
        return false;
      }
    };
    try {
      chownSync(folder, 1000, 1000);
      chownSync(file, 1000, 1000);
      for (const name of ['bot', 'worker'] as const) {
        const user = String(compose.services[name]?.['user']).replaceAll(
          /\$\{(\w+):\?[^}]*\}/g,
          (_, variable: string) => variables.get(variable) ?? '',
        );
        const [uid = Number.NaN, gid = Number.NaN] = user.split(':').map(Number);
        expect(reads(uid, gid)).toBe(true);
      }
      expect(reads(10_001, 10_001)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('waits only for services, mounts only what exists, and listens on loopback only', () => {
    for (const service of Object.values(compose.services)) {
      for (const name of Object.keys(service.depends_on)) expect(Object.keys(compose.services)).toContain(name);
      for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const volume of service.volumes) {
        const source = volume.split(':')[0] ?? '';
        if (source.startsWith('./manifests')) expect(() => textOf(source.slice(2))).not.toThrow();
        else if (/^[a-z]/.test(source)) expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });
});

describe('the alert rules', () => {
  it('ask only for metrics that meshops has', async () => {
    const has = await createTelemetry({ level: 'silent', component: 'test' }).metrics();
    const asked = new Set(textOf('manifests/monitoring/alerts.yaml').match(/meshops_[a-z_]+/g));
    expect(asked.size).toBe(7);
    for (const name of asked) expect(has).toContain(`# TYPE ${name} `);
  });
});
