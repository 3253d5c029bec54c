import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMrkdwn, inertMrkdwn } from '../../../src/domain/words/mrkdwn.ts';
import { isBareCode, isSentenceCode, sentence, sentenceOf } from '../../../src/domain/words/sentences.ts';

/** Word joiners, zero-width spaces and what turns the direction of a text. */
const UNSEEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/;

describe('sentences', () => {
  it('say what happened, what it means, what to do', () => {
    expect(sentence('SelfApproval')).toBe(
      'Nobody approves their own request. Your click changed nothing. Ask another approver; you can still reject or abort it.',
    );
    expect(sentenceOf({ code: 'NoNamespace', parameters: { name: 'web' } })).toContain('Write namespace/web.');
    expect(isSentenceCode('Busy')).toBe(true);
    expect(isSentenceCode('toString')).toBe(false);
  });
});

describe('foreign words in Slack', () => {
  it('cannot call, open a link of their own or format', () => {
    expect(escapeMrkdwn('<!channel> & <https://a|b>')).toBe('&lt;!channel&gt; &amp; &lt;https://a|b&gt;');
    expect(inertMrkdwn('<!here> *Approved* ~no~ `x` _now_')).toBe("&lt;!here&gt; ∗Approved∗ ∼no∼ 'x' ˍnowˍ");
  });

  it.each([
    'operator@example.com',
    'first_last+mesh@team-1.example.com',
    'a.b@c.example, d@e.example',
    'https://example.com/a_b',
    'see #general, @reviewer',
  ])('is copied as it is: %s', (text) => expect(inertMrkdwn(text)).toBe(text));

  it('have nothing that formats, and nothing that nobody sees, whatever they are', () => {
    const signs = fc.constantFrom(
      '*',
      '_',
      '~',
      '`',
      '<',
      '>',
      '&',
      '\u2060',
      '\u200B',
      '\u202E',
      '\uFEFF',
      'a',
      'Z',
      '9',
      ' ',
      '@',
      '://',
      'é',
      '😀',
    );
    const foreign = fc.oneof(
      fc.array(signs, { maxLength: 40 }).map((all) => all.join('')),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    fc.assert(
      fc.property(foreign, (text) => {
        const inert = inertMrkdwn(text);
        expect(inert).not.toMatch(/[*~`<>]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u);
        for (const shown of [inert, escapeMrkdwn(text)]) expect(shown).not.toMatch(UNSEEN);
      }),
    );
  });
});

describe('codes', () => {
  it.each(['SelfApproval', 'SlackSilent', 'NotReleasable', 'Broken'])('%s needs nothing but itself', (code) =>
    expect(isBareCode(code)).toBe(true),
  );
  it.each(['Frozen', 'NotLiftable', 'NoCanary', 'toString', ''])('%s does not', (code) => expect(isBareCode(code)).toBe(false));
});
