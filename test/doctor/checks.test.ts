import { describe, expect, it, test } from 'vitest';
import { connectObserver } from '../../src/clients/hubble/observer.ts';
import { type Check, formatFound, Missing, runCheck, summaryOf } from '../../src/doctor/checks.ts';
import { cohortLabel, identityWait, type Ring, ringWords, visibility } from '../../src/doctor/cilium.ts';
import { apartWords, skewWords } from '../../src/doctor/clock.ts';
import { aheadOf, behindOf, clocksWords } from '../../src/doctor/node-clocks.ts';
import { retentionWords } from '../../src/doctor/temporal.ts';
import { answerOf, sharedDoctor } from '../../src/slack/doctor.ts';

import { answerFlow, startAgent } from '../activities/support/hubble.ts';

const signal = new AbortController().signal;
const check = (look: Check['look']): Check => ({ name: 'thing', todo: 'Mend it.', look });

describe('a line', () => {
  test.each<[string, Check['look'], string]>([
    ['what is there', async () => 'two of two', '✓ thing: two of two'],
    ['what could be better', async () => ({ words: 'one of two', todo: 'Add one.' }), '! thing: one of two\n  → Add one.'],
    [
      'what is missing, with the reasons beneath',
      async () => Promise.reject(new Error('no answer', { cause: new Error('ECONNREFUSED') })),
      '✗ thing: no answer: ECONNREFUSED\n  → Mend it.',
    ],
    [
      'what is missing and has its own remedy',
      async () => Promise.reject(new Missing('too old', 'Upgrade.')),
      '✗ thing: too old\n  → Upgrade.',
    ],
  ])('says %s, and what to do', async (_, look, line) => {
    expect(formatFound(await runCheck(check(look), signal))).toBe(line);
  });

  it('is summed up', async () => {
    const found = await Promise.all(
      [async () => 'a', async () => ({ words: 'b', todo: 'c' })].map((look) => runCheck(check(look), signal)),
    );
    expect(summaryOf(found)).toBe('Everything that meshops needs is there. One thing could be better.');
    const worse = [
      ...found,
      await runCheck(
        check(() => Promise.reject(new Error('x'))),
        signal,
      ),
    ];
    expect(summaryOf(worse)).toBe('1 of 3 checks failed. One thing could be better.');
  });
});

const ON = { 'enable-hubble': 'true', 'enable-l7-proxy': 'true' };

describe("Cilium's settings", () => {
  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['Hubble is off', { 'enable-l7-proxy': 'true' }, /Hubble is off.*Set hubble\.enabled=true/],
    ['the proxy is off', { ...ON, 'enable-l7-proxy': 'false' }, /enable-l7-proxy.*Set l7Proxy=true/],
    ['drops are not told', { ...ON, 'bpf-events-drop-enabled': 'false' }, /bpf-events-drop-enabled.*Set bpf-events-drop-enabled to true/],
    ['verdicts are not told', { ...ON, 'bpf-events-policy-verdict-enabled': 'false' }, /policy-verdict.*to true/],
  ])('%s: that is missing', async (_, settings, words) => {
    const {
      state,
      words: said,
      todo,
    } = await runCheck(
      check(async () => visibility(settings)),
      signal,
    );
    expect(state).toBe('missing');
    expect(`${said} ${todo}`).toMatch(words);
  });

  it('that leave traces out could be better; the usual ones are good', () => {
    expect(visibility({ ...ON, 'bpf-events-trace-enabled': 'false' })).toMatchObject({
      todo: expect.stringContaining('bpf-events-trace-enabled') as string,
    });
    expect(visibility(ON)).toBe('requests, drops, verdicts and traces');
  });

  it('may keep the cohort label out of identities', () => {
    expect(cohortLabel({})).toContain("is part of a pod's identity");
    expect(() => cohortLabel({ labels: 'k8s:app k8s:io.kubernetes.pod.namespace' })).toThrow('no policy could go pod by pod');
    expect(cohortLabel({ labels: 'k8s:app k8s:meshops.dev/cohort' })).toContain('is part');
  });

  it('say how long a label takes', () => {
    expect(identityWait({})).toBe('a stage of a policy waits up to 35s for identities (identity-max-jitter 30s by default)');
    expect(identityWait({ 'identity-max-jitter': '1s' })).toContain('up to 6s for identities (identity-max-jitter 1s)');
  });
});

describe("Hubble's memory", () => {
  const ring = (rate: number, depth = 4_095, node = 'n1'): Ring => ({ node, depth, rate });
  const WINDOW = 10 * 60_000;

  it('covers the window, or not: the node that forgets first counts', () => {
    expect(ringWords([ring(1), ring(0)], WINDOW)).toBe('remembers 1h8m15s or more, at 1 flows a second on n1; dry-runs look 10m back');
    expect(ringWords([ring(1), ring(100, 4_095, 'n2')], WINDOW)).toEqual({
      words: 'remembers 40s at 100 flows a second on n2; dry-runs look 10m back',
      todo: 'Set hubble.eventBufferCapacity=65535 (Helm), or shorten policy.window.',
    });
    expect(ringWords([ring(10)], WINDOW)).toMatchObject({ todo: 'Set hubble.eventBufferCapacity=8191 (Helm), or shorten policy.window.' });
    expect(ringWords([ring(5_000)], WINDOW)).toMatchObject({ todo: expect.stringContaining('65535 (Helm), the most there is') as string });
    expect(ringWords([ring(0)], WINDOW)).toContain('far back, without traffic');
    expect(() => ringWords([], WINDOW)).toThrow('no agent has told');
  });
});

describe('clocks', () => {
  const date = (at: number): string => new Date(at).toUTCString();
  const NOON = Date.UTC(2026, 0, 1, 12);

  it('agree within what a second of rounding and the way leave open', () => {
    expect(skewWords('Slack', date(NOON), NOON + 100, NOON + 900)).toBe('agrees with Slack');
    expect(skewWords('Slack', date(NOON), NOON + 1_500, NOON + 2_500)).toBe('agrees with Slack');
    expect(skewWords('Slack', undefined, NOON, NOON)).toBe('Slack does not say its time');
  });

  it('that show more than whole seconds are compared as closely as the way there and back allows', () => {
    expect(apartWords('Temporal', NOON, { sentAt: NOON - 10, heardAt: NOON + 90 })).toBe('agrees with Temporal');
    expect(apartWords('Temporal', NOON, { sentAt: NOON - 3_100, heardAt: NOON - 3_000 })).toMatchObject({ words: '3 s behind Temporal' });
    expect(() => apartWords('Temporal', NOON, { sentAt: NOON + 61_000, heardAt: NOON + 61_100 })).toThrow('61 s ahead of Temporal');
  });

  it('that are apart are told, and from half a minute on missing', () => {
    expect(skewWords('Slack', date(NOON), NOON + 10_500, NOON + 10_500)).toMatchObject({ words: '10 s ahead of Slack' });
    expect(skewWords('Slack', date(NOON), NOON - 9_500, NOON - 9_500)).toMatchObject({ words: '10 s behind Slack' });
    expect(() => skewWords('Slack', date(NOON), NOON + 60_000, NOON + 60_000)).toThrow('59 s ahead of Slack');
  });
});

describe('clocks of nodes', () => {
  it('that are ahead give events from the future; those that agree, and quiet ones, do not', async () => {
    const agent = await startAgent('n1');
    const observer = connectObserver(agent.address);
    try {
      expect(await aheadOf(observer, Date.now())).toBe(0);
      agent.ring.push({ kind: 'flow', flow: answerFlow('n1', { at: Date.now() }) });
      expect(await aheadOf(observer, Date.now())).toBe(0);
      agent.ring.push({ kind: 'flow', flow: answerFlow('n1', { at: Date.now() + 60_000 }) });
      const ahead = await aheadOf(observer, Date.now());
      expect(Math.round(ahead / 1_000)).toBe(60);
      expect(
        clocksWords([
          { node: 'n1', aheadMs: ahead, behindMs: 0 },
          { node: 'n2', aheadMs: 0, behindMs: 0 },
        ]),
      ).toMatchObject({ words: 'ahead of this machine: n1 by 60 s' });
    } finally {
      observer.close();
      agent.stop();
    }
    expect(clocksWords([{ node: 'n1', aheadMs: 0, behindMs: 0 }])).toBe('no event comes from the future, and none late');
    await expect(aheadOf(connectObserver('127.0.0.1:1'), Date.now())).rejects.toThrow();
  });

  it.each([
    ['seven seconds behind', 7_000, 200, 7],
    ['right', 0, 200, 0],
    ['seven seconds behind, where too little happens to say so', 7_000, 3, 0],
  ])('whose clock is %s', async (_, lateMs, events, seconds) => {
    const agent = await startAgent('n1');
    const observer = connectObserver(agent.address);
    let left = events;
    const traffic = setInterval(() => {
      if (left-- > 0) agent.ring.push({ kind: 'flow', flow: answerFlow('n1', { at: Date.now() - lateMs }) });
    }, 10);
    try {
      const behindMs = await behindOf(observer, Date.now, 1_500);
      expect(Math.round(behindMs / 1_000)).toBe(seconds);
      const words = clocksWords([{ node: 'n1', aheadMs: 0, behindMs }]);
      if (seconds > 0)
        expect(words).toMatchObject({
          words: 'behind it, or their agents tell everything late: n1 by 7 s',
          todo: expect.stringContaining('NTP'),
        });
      else expect(words).toBe('no event comes from the future, and none late');
    } finally {
      clearInterval(traffic);
      observer.close();
      agent.stop();
    }
    await expect(behindOf(connectObserver('127.0.0.1:1'), Date.now)).rejects.toThrow();
  });
});

test("Temporal's retention: three days, or a remark", () => {
  expect(retentionWords(72 * 3_600_000)).toBe('what is over is kept for 3d');
  expect(retentionWords(24 * 3_600_000)).toMatchObject({ todo: expect.stringContaining('--retention 72h') as string });
  expect(retentionWords(undefined)).toContain('does not say');
});

describe('in Slack', () => {
  const found = [
    { name: 'demo: Hubble', state: 'missing', words: 'n1 <&> does not answer', todo: 'Check `hubble`.' },
    { name: "demo: Hubble's memory", state: 'remark', words: 'remembers 40s', todo: 'Enlarge it.' },
    { name: 'database', state: 'good', words: 'Postgres' },
  ] as const;

  it('says what is wrong first, with what to do, and that the worker has rights of its own', () => {
    const text = JSON.stringify(answerOf(found, 'bot'));
    expect(text.indexOf('*Missing:* demo: Hubble: n1 &lt;&amp;&gt; does not answer')).toBeGreaterThan(0);
    expect(text.indexOf('*Could be better:*')).toBeGreaterThan(text.indexOf('*Missing:*'));
    expect(text).toContain('Good: database.');
    expect(text).toContain('meshops doctor --process worker');
    expect(JSON.stringify(answerOf(found, 'run'))).not.toContain('--process worker');
  });

  it('keeps within the limits of Slack, however much there is', () => {
    const many = Array.from({ length: 300 }, (_, at) => ({ ...found[0], name: `cluster-${at}: Hubble`, words: 'x'.repeat(900) }));
    const { blocks = [] } = answerOf(many, 'run');
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const block of blocks) expect((block as { text: { text: string } }).text.text.length).toBeLessThanOrEqual(3_000);
  });

  it('looks once for all who ask at the same time', async () => {
    let times = 0;
    const doctor = sharedDoctor('bot', async () => {
      times += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return found;
    });
    await Promise.all([doctor.examine(), doctor.examine(), doctor.examine()]);
    expect(times).toBe(1);
    await doctor.examine();
    expect(times).toBe(2);
  });
});
