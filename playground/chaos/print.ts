import type { Violation } from './simulate.ts';
import type { Schedule } from './step.ts';

/** The schedule as a test that can be pasted into test/chaos/. */
export function asTest({ seed, world, steps }: Schedule, { invariant, words }: Violation): string {
  const lines = steps.map((step) => `      ${literal(step)},`);
  return [
    `  it('keeps the promise: ${invariant.replaceAll("'", '’')}', async () => {`,
    `    // Was: ${words.replaceAll('\n', ' ').slice(0, 160)}`,
    '    const schedule: Schedule = {',
    `      seed: ${seed},`,
    `      world: ${literal(world)},`,
    '      steps: [',
    ...lines,
    '      ],',
    '    };',
    '    expect((await play(schedule)).violation).toBeUndefined();',
    '  });',
  ].join('\n');
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([key, member]) => `${key}: ${literal(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
