import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/domain/command/parse.ts';
import { helpFor, VERBS, verbsIn } from '../../src/domain/verbs.ts';

const root = new URL('../../', import.meta.url);
const changing = [...new Set(VERBS.flatMap(({ changes }) => changes ?? []))];

describe('a verb that changes the mesh is the same name in every place', () => {
  it.each(changing.flatMap((verb) => [`src/domain/${verb}/`, `workflows/${verb}.ts`, `activities/${verb}/`]))('%s exists', (place) => {
    expect(existsSync(new URL(place, root)), `${place} is missing: a verb needs all of its places`).toBe(true);
  });
});

describe('help', () => {
  it('gives only examples that are understood', () => {
    for (const { name, examples } of VERBS) {
      for (const example of examples) expect(parseCommand(example, { root: 'mesh' })).toMatchObject({ kind: name });
    }
  });

  it('shows grammar and examples of one verb', () => {
    expect(helpFor('canary').map(({ kind }) => kind)).toContain('example');
    expect(helpFor('canary').find(({ kind }) => kind === 'grammar')?.text).toMatch(/^canary /);
  });

  it('lists every verb', () => {
    const grammars = helpFor().filter(({ kind }) => kind === 'grammar');
    expect(grammars.filter(({ text }, index) => !text.startsWith(`${VERBS[index]?.name} `) && text !== VERBS[index]?.name)).toEqual([]);
    expect(grammars).toHaveLength(VERBS.length);
  });

  it('lists the verbs of one area', () => {
    const grammars = helpFor('policy').filter(({ kind }) => kind === 'grammar');
    expect(grammars.map(({ text }) => text.split(' ')[0])).toEqual(verbsIn('policy').map(() => 'policy'));
  });

  it('says plainly of a later area what there is today', () => {
    const text = helpFor('encryption')
      .map((line) => line.text)
      .join('\n');
    expect(text).toContain('not there yet');
    expect(text).toContain('canary, promote, rollback');
  });
});
