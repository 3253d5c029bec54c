import { expect, test } from 'vitest';
import { acceptHome } from '../../playground/slack/block-kit/accept.ts';
import { type HomeShown, homeView } from '../../src/messages/home.ts';
import { AT, everyView } from './views.ts';

const EMPTY: HomeShown = {
  waiting: [],
  mine: [],
  running: [],
  frozen: [],
  reviews: [],
  past: [],
  silent: [],
  clusters: ['demo'],
  slash: { mesh: '/mesh', policy: '/policy', encryption: '/encryption' },
  at: AT,
};

test('the Home of any number of operations in any phase is one that Slack takes', () => {
  const all = everyView().map(({ view }, index) => ({
    view: { ...view, opId: `canary-${index}` },
    link: 'https://example.com/archives/C1/p1',
  }));
  const many = Array.from({ length: 60 }, (_, index) =>
    all.map(({ view, link }) => ({ view: { ...view, opId: `${view.opId}-${index}` }, link })),
  ).flat();
  const freeze = { scope: 'demo/backend', reason: 'release weekend', by: { id: 'o', name: 'Operator' }, setAt: AT, until: AT + 1 };
  const frozen = Array.from({ length: 30 }, (_, index) => ({ ...freeze, scope: `demo/ns${index}` }));
  const shown = {
    ...EMPTY,
    waiting: many,
    mine: many.map(other('m')),
    running: many.map(other('r')),
    frozen,
    past: Array.from({ length: 10 }, () => 'x'.repeat(300)),
  };
  for (const one of [EMPTY, shown, { ...EMPTY, waiting: all.slice(0, 10) }]) {
    const view = homeView(one);
    expect(view.blocks.length).toBeLessThanOrEqual(100);
    expect(() => acceptHome(view, 100)).not.toThrow();
  }
  expect(JSON.stringify(homeView(shown))).toContain(`and ${(many.length - 8).toLocaleString('en-US')} more: \`/mesh status\``);
});

function other(mark: string) {
  return <T extends { readonly view: { readonly opId: string } }>(one: T): T => ({
    ...one,
    view: { ...one.view, opId: `${mark}${one.view.opId}` },
  });
}

test('a Home with nothing in it says so, and offers the forms', () => {
  const words = JSON.stringify(homeView(EMPTY));
  expect(words).toContain('Nothing waits for you. Nothing runs.');
  expect(words).toContain('Start a canary…');
  expect(words).toContain('Enforce a policy…');
});

test('a Home for which something could not be read says that, and not that there is nothing', () => {
  const words = JSON.stringify(homeView({ ...EMPTY, silent: ['Temporal does not answer: what runs is not known.'] }));
  expect(words).toContain('Temporal does not answer: what runs is not known.');
  expect(words).not.toContain('Nothing waits for you');
});
