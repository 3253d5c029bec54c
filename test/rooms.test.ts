import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILES = ['src', 'activities', 'workflows'].flatMap(filesIn);
const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]));

/** Every room, from the ground up, with the rooms that it may import beside itself. `docs/architecture.md` says what each is for. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'src/domain': [],
  'src/log.ts': [],
  'src/fan-out.ts': [],
  'src/http.ts': [],
  'src/net': [],
  'src/telemetry.ts': ['src/domain'],
  'src/ports.ts': ['src/domain'],
  'src/documents': ['src/domain'],
  'src/messages': ['src/domain'],
  'src/clients': ['src/domain', 'src/log.ts', 'src/net'],
  'src/reading': ['src/domain', 'src/clients', 'src/documents', 'src/net'],
  'src/config': ['src/domain', 'src/log.ts'],
  'src/audit': ['src/domain', 'src/ports.ts'],
  'src/temporal': ['src/domain'],
  'src/handover': ['src/domain', 'src/net'],
  'src/connect': ['src/domain', 'src/clients', 'src/config', 'src/temporal'],
  'src/doctor': ['src/domain', 'src/log.ts', 'src/net', 'src/clients', 'src/audit', 'src/config', 'src/temporal', 'src/connect'],
  'src/slack': [
    'src/domain',
    'src/log.ts',
    'src/ports.ts',
    'src/net',
    'src/clients',
    'src/documents',
    'src/messages',
    'src/reading',
    'src/audit',
    'src/temporal',
    'src/doctor',
  ],
  workflows: ['src/domain'],
  'activities/writes': ['src/domain', 'src/log.ts', 'src/ports.ts', 'src/fan-out.ts', 'src/clients'],
  'activities/planning': ['src/domain', 'src/ports.ts', 'src/fan-out.ts', 'src/clients', 'activities/writes'],
  'activities/watch': ['src/domain', 'src/log.ts', 'src/ports.ts', 'src/fan-out.ts', 'src/clients', 'activities/writes'],
  'activities/announce': ['src/domain', 'src/log.ts', 'src/clients', 'src/messages'],
  'activities/canary': verbRoom(),
  'activities/encryption': verbRoom(),
  'activities/policy': verbRoom(),
  activities: ['src/domain', 'src/log.ts', 'src/ports.ts', 'src/clients', 'activities/*'],
  'src/compose': ['src/*', 'activities', 'activities/announce'],
  'src/cli': [
    'src/clients',
    'src/reading',
    'src/domain',
    'src/documents',
    'src/audit',
    'src/config',
    'src/connect',
    'src/doctor',
    'src/compose',
  ],
  'src/main.ts': ['src/cli', 'src/config'],
};

/** A verb's own activities stand on what all verbs share, never on another verb. */
function verbRoom(): readonly string[] {
  const shared = ['src/domain', 'src/log.ts', 'src/ports.ts', 'src/fan-out.ts', 'src/net', 'src/clients', 'src/reading'];
  return [...shared, 'activities/writes', 'activities/planning', 'activities/watch'];
}

describe('the rooms of the product', () => {
  it('are all named here', () => {
    expect([...new Set(FILES.map(roomOf))].toSorted()).toEqual(Object.keys(ROOMS).toSorted());
  });

  it('import downwards only', () => {
    const wrong = FILES.flatMap((file) => importsOf(file).map((imported) => [file, imported] as const)).filter(
      ([file, imported]) => !allows(roomOf(file), roomOf(imported)),
    );
    expect(wrong.map(([file, imported]) => `${file} -> ${imported}`)).toEqual([]);
  });

  it('have no cycle of files, type-only imports included', () => {
    expect(cycles()).toEqual([]);
  });
});

describe('functions', () => {
  it('of more than a line are declared', () => {
    const files = [...FILES, ...['playground', 'test'].flatMap(filesIn)];
    expect(
      files.filter((file) => /^(?:export )?const \w+ = (?:async )?[(<][^(].*=>(?: \{)?$/m.test(readFileSync(join(ROOT, file), 'utf8'))),
    ).toEqual([]);
  });
});

function allows(from: string, to: string): boolean {
  if (from === to) return true;
  return (ROOMS[from] ?? []).some((one) => one === to || (one.endsWith('/*') && to.startsWith(one.slice(0, -1))));
}

/** `src/<room>`, `activities/<room>` (the files beside the rooms are `activities`), `workflows`. */
function roomOf(file: string): string {
  const [top = '', second = '', third] = file.split('/');
  if (top === 'workflows' || (top === 'activities' && third === undefined)) return top;
  return `${top}/${second}`;
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const paths = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.[^']+)'/g)].map(([, path = '']) => path);
  return paths.map((path) => normalize(join(dirname(file), path))).filter((path) => path.endsWith('.ts') && FILES.includes(path));
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Every file that imports itself by way of others, with the way. Depth first: a file that is on the way already closes a cycle. */
function cycles(): readonly string[] {
  const done = new Set<string>();
  const way: string[] = [];
  const found: string[] = [];
  const visit = (file: string): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (done.has(file)) return;
    done.add(file);
    way.push(file);
    for (const next of IMPORTS.get(file) ?? []) visit(next);
    way.pop();
  };
  for (const file of FILES) visit(file);
  return found;
}
