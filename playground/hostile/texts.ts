// Texts that try to be something else than text: markup, mentions, directions, bytes, sizes, other languages of machines.
import type { Random } from '../cilium/random.ts';

const PIECES = [
  '<!channel>',
  '<!here|all>',
  '<!everyone>',
  '<@U0EVIL>',
  '<!subteam^S0EVIL>',
  '<https://evil.example|Approved by Reviewer>',
  '<mailto:evil@evil.example|x>',
  '&lt;!channel&gt;',
  '&amp;lt;!here&amp;gt;',
  '*Approved* _by_ ~all~ `code`',
  '```\n*root*\n```',
  '\n\nNow: backend 100%',
  '\u202Egnp.exe\u202C',
  '\u2066\u2067\u2069',
  '\u200B\u200E\u2060\uFEFF',
  '\u0000',
  '\u0001\u0007\u001B[31m',
  '\uD800',
  '\uDFFF\uD800',
  'K\u212Aelvin',
  'e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301',
  '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '"; DROP TABLE audit; --',
  "' OR 1=1 --",
  '$(reboot) `reboot` | reboot',
  '../../../../etc/passwd',
  '%00%0a%0d',
  '\r\nX-Slack-Signature: v0=0',
  '{{7*7}} ${7*7} #{7*7}',
  '__proto__',
  'constructor.prototype',
  'null undefined NaN true -0 1e999',
  '[[[[[[[[[[',
  '"unclosed',
  '“smart” ‘quotes’',
  '--reason --steps --slo --accept --replace',
  '--percent=1e400',
  '99999999999999999999%',
  '-10%',
  '10%10%10%',
  'backend/backend/backend/backend',
  'BACKEND',
  'backend\u00A010%',
  'bäckend',
  '٣٤٥',
  'www.evil.example @here #general',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
] as const;

/** One to six pieces; one in fifty is as long as Slack lets a command be, and longer. */
export function hostileText(random: Random): string {
  const count = 1 + Math.floor(random() * 6);
  const text = Array.from({ length: count }, () => pick(random, PIECES)).join(random() < 0.5 ? ' ' : '');
  return random() < 0.02 ? text.repeat(1 + Math.floor(random() * 400)) : text;
}

export function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T;
}

/** A value of any kind where one of another was meant. */
export function hostileValue(random: Random, depth = 0): unknown {
  const kinds = depth > 3 ? 6 : 9;
  switch (Math.floor(random() * kinds)) {
    case 0:
      return null;
    case 1:
      return random() < 0.5 ? -1 : Number.MAX_SAFE_INTEGER;
    case 2:
      return random() < 0.5;
    case 3:
      return '';
    case 4:
      return hostileText(random);
    case 5:
      return [];
    case 6:
      return {};
    case 7:
      return Array.from({ length: Math.floor(random() * 4) }, () => hostileValue(random, depth + 1));
    default:
      return { [pick(random, ['__proto__', 'id', 'value', 'text', 'type', 'constructor', ''])]: hostileValue(random, depth + 1) };
  }
}

/** What must not come out as it went in: calls, links of theirs, and characters that nobody sees. */
const ESCAPED_NOT =
  /<!(?:channel|here|everyone)|<!subteam\^S0EVIL|<@U0EVIL|<(?:https?|mailto):[^|>]*evil|[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/;

/** Where a text that was shown holds something of a foreign one that has an effect; undefined where it does not. */
export function unescaped(shown: string): string | undefined {
  const text = shown.replaceAll('\\u0000', '\0');
  const at = text.includes('\0') ? text.indexOf('\0') : text.search(ESCAPED_NOT);
  return at < 0 ? undefined : JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
}
