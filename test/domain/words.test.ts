import { describe, expect, it } from 'vitest';
import { escapeMrkdwn, inertMrkdwn } from '../../src/domain/mrkdwn.ts';
import { isBareCode, isSentenceCode, sentence, sentenceOf } from '../../src/domain/sentences.ts';

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
  it('cannot mention, link or format', () => {
    expect(escapeMrkdwn('<!channel> & <https://a|b>')).toBe('&lt;!channel&gt; &amp; &lt;https://a|b&gt;');
    const inert = inertMrkdwn('<!here> @channel https://evil.test www.evil.test *Approved* `x` #general');
    expect(inert).not.toMatch(/<|>|@channel|:\/\/|www\.|\*A|`|#g/);
    expect(inert.replaceAll('\u2060', '')).toBe("&lt;!here&gt; @channel https://evil.test www.evil.test *Approved* 'x' #general");
  });

  it.each(['operator@example.com', 'first_last+mesh@team-1.example.com', 'a.b@c.example, d@e.example'])(
    'an address is copied as it is: %s',
    (address) => expect(inertMrkdwn(address)).toBe(address),
  );

  it.each(['_x_', ' _now_', 'a *b* c', '~x~', '(@here)', '#general', '@channel'])('%s has no effect', (text) =>
    expect(inertMrkdwn(text)).toContain('\u2060'),
  );
});

describe('codes', () => {
  it.each(['SelfApproval', 'SlackSilent', 'NotReleasable', 'Broken'])('%s needs nothing but itself', (code) =>
    expect(isBareCode(code)).toBe(true),
  );
  it.each(['Frozen', 'NotLiftable', 'NoCanary', 'toString', ''])('%s does not', (code) => expect(isBareCode(code)).toBe(false));
});
