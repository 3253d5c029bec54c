import { describe, expect, test } from 'vitest';
import { acceptMessageBlocks } from '../../playground/slack/block-kit/accept.ts';
import { HELP_AREAS, OPTION_WORDS } from '../../src/domain/commands/help.ts';
import { parseCommand, type Root } from '../../src/domain/commands/parse.ts';
import { VERBS } from '../../src/domain/commands/verbs.ts';
import { helpMessage } from '../../src/messages/help.ts';

const SLASH = { mesh: '/net', policy: '/policy', encryption: '/encryption' };
const ROOTS: Readonly<Record<string, Root>> = { '/net': 'mesh', '/policy': 'policy', '/encryption': 'encryption' };

/** Everything in code that begins with one of our slash names and has no place to fill in. */
function commandsIn(text: string): readonly string[] {
  const spans = [...text.matchAll(/`(\/[^`]+)`/g)].map(([, span = '']) => span.replaceAll('&gt;', '>').replaceAll('&lt;', '<'));
  return spans.filter((span) => !/<[a-z ]+>|\[/.test(span));
}

function misread(text: string): readonly string[] {
  return commandsIn(text).filter((command) => {
    const [name = '', ...words] = command.split(' ');
    const root = ROOTS[name];
    return !root || parseCommand(words.join(' '), { root }).kind === 'misunderstood';
  });
}

describe('help', () => {
  test('without a topic has eight lines, a command for each verb, and a button for each area', () => {
    const { text, blocks } = helpMessage(SLASH);
    expect(text.split('\n').length).toBeLessThanOrEqual(8);
    expect(text.length).toBeLessThanOrEqual(700);
    expect(commandsIn(text).length).toBeGreaterThanOrEqual(6);
    expect(misread(text)).toEqual([]);
    const labels = JSON.stringify(blocks.find(({ type }) => type === 'actions'));
    for (const label of ['Traffic', 'Policy', 'Encryption', 'Guarding']) expect(labels).toContain(`"${label}"`);
  });

  test.each(HELP_AREAS)('on %s has a line for each command, in its own slash name', (area) => {
    const { text } = helpMessage(SLASH, area);
    expect(text.split('\n').length).toBeLessThanOrEqual(12);
    expect(text.length).toBeLessThanOrEqual(900);
    expect(misread(text)).toEqual([]);
    const own = area === 'policy' || area === 'encryption' ? `/${area}` : '/net';
    expect(commandsIn(text).filter((command) => !command.startsWith(`${own} `))).toEqual([]);
  });

  test.each(VERBS.map(({ name }) => name))('on %s is one screen, with its options and what can be pasted', (name) => {
    const { text, blocks } = helpMessage(SLASH, name);
    expect(text.length).toBeLessThanOrEqual(900);
    expect(commandsIn(text).length).toBeGreaterThan(0);
    expect(misread(text)).toEqual([]);
    const flags = VERBS.find((spec) => spec.name === name)?.flags ?? [];
    for (const flag of flags) expect(text).toContain(OPTION_WORDS[flag][0]);
    expect(() => acceptMessageBlocks([...blocks], 50)).not.toThrow();
  });

  test('says first what a command does, and that it needs an approval', () => {
    const [title, usage, gate] = helpMessage(SLASH, 'canary').text.split('\n');
    expect(title).toBe('*Canary: send a share of requests to a new version, in steps.*');
    expect(usage).toContain('`/net canary &lt;name&gt; &lt;percent&gt;%`');
    expect(gate).toBe('Needs approval.');
  });
});
