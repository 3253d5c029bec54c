import type { VerbRecord } from '../../src/domain/verb-record.ts';

/** A verb that is neither of the product's: what the lifecycle does with it, it does for any. It can go on, and take itself back by `off`. */
export const FAKE_VERB: VerbRecord = {
  commands: [
    {
      name: 'fake',
      grammar: 'fake name',
      summary: 'Nothing.',
      help: [],
      examples: ['fake backend'],
      flags: [],
      gate: 'required',
      changes: 'fake',
      read: ([target = '']) => ({ target, change: { kind: 'on' } }),
    },
  ],
  scope: 'service',
  command: 'fake',
  wayBack: 'rollback',
  isWayBack: ({ kind }) => kind === 'off',
  mayContinue: ({ kind }, { exposure }) => kind === 'more' && exposure < 1,
  onwards: {},
  nothingBack: ({ name }) => ({ code: 'NothingDone', parameters: { target: name } }),
  restsAtZero: false,
  adoptsInPlace: false,
  countsInVerdict: true,
  words: {
    sides: { changed: 'new', rest: 'old', ofChanged: 'of the new', ofRest: 'of the old', unit: 'item', bad: 'lost' },
    chart: { share: 'share of the new', axis: 'Share', rate: 'Items per second', bad: 'Lost items of the new' },
    goesOn: { withShare: 'It goes on.', without: 'It goes on.' },
    adopting: 'and go on',
    own: 'its own item',
  },
};
