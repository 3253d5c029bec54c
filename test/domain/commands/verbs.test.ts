import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandsIn, HELP_AREAS, PLANNED } from '../../../src/domain/commands/help.ts';
import { parseCommand } from '../../../src/domain/commands/parse.ts';
import { type CommandSpec, usageOf } from '../../../src/domain/commands/spec.ts';
import { VERBS, verbOf } from '../../../src/domain/commands/verbs.ts';

const root = new URL('../../../', import.meta.url);
const changing = [...new Set(VERBS.flatMap(({ changes }) => changes ?? []))];

describe('a verb that changes the mesh is the same name in every place', () => {
  it.each(changing.flatMap((verb) => [`src/domain/${verb}/`, `activities/${verb}/steps.ts`]))('%s exists', (place) => {
    expect(existsSync(new URL(place, root)), `${place} is missing: a verb needs all of its places`).toBe(true);
  });
});

describe('help', () => {
  it('gives only examples that are understood', () => {
    for (const { name, examples } of VERBS) {
      const spec = verbOf(name);
      for (const example of examples)
        expect(parseCommand(example, { root: 'mesh' })).toMatchObject(spec?.read ? { kind: 'change', command: name } : { kind: name });
    }
  });

  it('says in one line what each command does', () => {
    expect(VERBS.filter(({ summary }) => summary.length > 60).map(({ name }) => name)).toEqual([]);
  });

  it('has every command in one area', () => {
    const listed = HELP_AREAS.flatMap((area) => commandsIn(area).map(({ name }) => name));
    expect(listed.toSorted()).toEqual(VERBS.map(({ name }) => name).toSorted());
  });

  it('gives a grammar without options that is short', () => {
    expect(VERBS.map(usageOf).filter((usage) => usage.includes('--') || usage.length > 90)).toEqual([]);
    expect(VERBS.find(({ name }) => name === 'canary')).toSatisfy((spec: CommandSpec) => usageOf(spec) === 'canary <name> <percent>%');
  });

  it('knows what there is instead of what is only planned', () => {
    for (const [word, instead] of Object.entries(PLANNED)) {
      expect(parseCommand(word, { root: 'mesh' }), word).toMatchObject({ kind: 'misunderstood', instead });
      for (const text of instead) expect(parseCommand(text, { root: 'mesh' }).kind, text).not.toBe('misunderstood');
    }
  });
});
