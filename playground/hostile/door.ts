// Hostile at the door itself: forged, late, repeated, too large, broken, and by other ways in.
import { createHmac } from 'node:crypto';
import { commands } from './inside.ts';
import { CHANGES, commandFields, FORM, form, type Made, type Making, signed } from './making.ts';
import { hostileText, pick } from './texts.ts';

/** A change that would be taken, signed by somebody who is not Slack. */
export function forged(making: Making): Made {
  const { random, known } = making;
  const made = form(making, commandFields(making, pick(random, known.members), pick(random, CHANGES)));
  const good = made.headers['x-slack-signature'] ?? '';
  const others = [
    '',
    'v0=',
    good.slice(0, -1),
    `${good}0`,
    good.replace('v0=', 'v1='),
    good.toUpperCase(),
    `${good.slice(0, 10)}${good[10] === '0' ? '1' : '0'}${good.slice(11)}`,
    `v0=${createHmac('sha256', 'guess').update(made.body).digest('hex')}`,
    `v0=${'0'.repeat(64)}`,
    `v0=${'ü'.repeat(20)}`.replaceAll('ü', '%'),
  ];
  const headers: Record<string, string> = { ...made.headers, 'x-slack-signature': pick(random, others) };
  if (random() < 0.1) delete headers['x-slack-signature'];
  if (random() < 0.1) delete headers['x-slack-request-timestamp'];
  return { ...made, headers };
}

/** Rightly signed, for another time. */
export function untimely(making: Making): Made {
  const { random, known } = making;
  const now = Math.floor(known.now() / 1000);
  const far = 330 + Math.floor(random() * 1e6);
  const at = pick(random, [
    String(now - far),
    String(now + far),
    '0',
    '-1',
    'NaN',
    '',
    '1e400',
    'Infinity',
    ` ${now - far}`,
    `${now - far}.5`,
    '٣',
  ]);
  const made = new URLSearchParams(commandFields(making, pick(random, known.members), pick(random, CHANGES))).toString();
  const safe = /^[\x20-\x7e]*$/.test(at) ? at : '0';
  return signed(making, made, FORM, safe);
}

/** What was taken once is not done twice. */
export function repeated(making: Making): Made {
  const { known, random } = making;
  return known.taken.length === 0 ? commands(making) : pick(random, known.taken);
}

/** Deep, wide, large, broken off, and in other encodings. */
export function sizes(making: Making): Made {
  const { known, random } = making;
  const user = pick(random, known.members);
  switch (Math.floor(random() * 9)) {
    case 0:
      return signed(making, `payload=${'['.repeat(5_000)}${']'.repeat(5_000)}`, FORM);
    case 1:
      return signed(making, `payload=${encodeURIComponent(`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`)}`, FORM);
    case 2:
      return random() < 0.1 ? signed(making, 'x'.repeat(1_100_000), FORM) : signed(making, 'x'.repeat(20_000), FORM);
    case 3:
      return signed(making, Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0xf0, 0x28, 0x8c, 0xbc]), pick(random, [FORM, 'application/json']));
    case 4:
      return signed(making, `payload=%7B%22type%22&payload=%7B%7D&=&=&%=%&text=${'%'.repeat(50)}`, FORM);
    case 5:
      return signed(making, pick(random, ['null', '[]', '1', '"x"', '{', '', '\uFEFF{}', '{"a":1}{"b":2}']), 'application/json');
    case 6:
      return form(making, Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`k${at}`, 'v'])));
    case 7:
      return form(making, commandFields(making, user, `canary ${'backend '.repeat(5_000)}`));
    default:
      return form(making, { ...commandFields(making, user, hostileText(random).repeat(200)), command: '/mesh' });
  }
}

/** Other ways in: paths, methods, types and headers. */
export function doors(making: Making): Made {
  const { known, random } = making;
  const made = form(making, commandFields(making, pick(random, known.members), pick(random, CHANGES)));
  const { 'content-type': _, ...untyped } = made.headers;
  return pick<() => Made>(random, [
    () => ({
      ...made,
      path: pick(random, [
        '/',
        '/slack',
        '/slack/events/',
        '/slack/events/..%2f',
        '/slack/install',
        '/slack/oauth_redirect',
        '/%00',
        '/metrics',
      ]),
    }),
    () => ({ headers: made.headers, body: '', method: pick(random, ['GET', 'HEAD', 'DELETE', 'OPTIONS']) }),
    () => ({ ...made, method: pick(random, ['PUT', 'PATCH']), path: '/' }),
    () => ({
      ...made,
      headers: { ...untyped, 'content-type': pick(random, ['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'x']) },
    }),
    () => ({
      ...made,
      headers: { ...made.headers, 'x-slack-signature': 'v0=0', 'x-forwarded-for': '127.0.0.1', 'x-slack-retry-num': '99' },
    }),
  ])();
}
