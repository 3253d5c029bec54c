import { describe, expect, it } from 'vitest';
import { compileRegex, regexError } from '../../../src/domain/policy/regex.ts';

function matches(pattern: string, text: string): boolean {
  const compiled = compileRegex(pattern);
  if (typeof compiled === 'string') throw new Error(compiled);
  return compiled(text);
}

describe('regular expressions of policies (RE2)', () => {
  it.each([
    ['/api/.*', ['/api/', '/api/v1'], ['/v1/api/', '/api']],
    ['a|b', ['a', 'b'], ['ab', '']],
    ['^/api/v1/.*$', ['/api/v1/x'], ['x/api/v1/x']],
    ['(?i)get', ['GET', 'Get'], ['PUT']],
    ['(?i:g)et', ['Get', 'get'], ['gET']],
    ['[[:alpha:]]+[[:^digit:]]', ['abc', 'a-'], ['ab1', 'é1']],
    ['\\d{2,3}', ['12', '123'], ['1', '1234', '١٢']],
    ['a{2}', ['aa'], ['a', 'aaa']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['x*y+z?', ['y', 'xxyyz'], ['xz']],
    ['(ab)*(?:cd|ef)', ['cd', 'ababef'], ['abab']],
    ['\\Aa\\z', ['a'], ['aa']],
    ['(?m)^a$\\n^b$', ['a\nb'], ['ab']],
    ['a.b', ['axb'], ['a\nb']],
    ['(?s)a.b', ['a\nb'], ['ab']],
    ['\\bfoo\\b.*', ['foo', 'foo bar'], ['foobar']],
    ['a\\Bb', ['ab'], ['a b']],
    ['\\Qa.b*\\E+', ['a.b*', 'a.b**'], ['axb']],
    ['[^a-c\\s]', ['d', '-'], ['b', ' ', '']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['-', 'a'], ['b']],
    ['\\x41\\x{1F600}\\101', ['A\u{1F600}A'], ['A']],
    ['\\p{Greek}+\\pL', ['αβγ', 'αx'], ['x']],
    ['\\P{Lu}', ['a'], ['A']],
    ['(?P<a>x)(?<b>y)', ['xy'], ['x']],
    ['(a*)*', ['', 'aaa'], ['b']],
    ['(|a)b', ['b', 'ab'], ['a']],
    ['\\.\\-\\/', ['.-/'], ['a-/']],
    ['(?U)a+?', ['aa'], ['']],
    ['(?i)\\x{212a}', ['k', 'K', '\u212A'], ['j']],
    ['ab(?i)+c', ['abbC'], ['abBc']],
    ['(?)a', ['a'], ['(?)a']],
    ['(?i)\\p{Lu}', ['A', 'a', 'ß'], ['1']],
    ['\\\\p{Dash}', ['\\p{Dash}'], ['-']],
    ['', [''], ['a']],
  ])('%s matches whole texts', (pattern, yes, no) => {
    expect(yes.filter((text) => !matches(pattern, text))).toEqual([]);
    expect(no.filter((text) => matches(pattern, text))).toEqual([]);
  });

  it.each([
    '/api/(',
    'a)',
    '*a',
    'a**',
    'a*+',
    'a++',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(?<!a)b',
    '(?>a)',
    '(a)\\1',
    '(?P=a)',
    '\\k<a>',
    '[a',
    '[b-a]',
    '[[:word:]',
    '[[:nothing:]]',
    'a{1001}',
    '(a{100}){100}',
    'a{3,2}',
    '\\Z',
    '\\C',
    '\\',
    '\\8',
    '\\x{110000}',
    '\\p{Nothing}',
    '(?P<a>x)(?P<a>y)',
    '(?-)',
    '\\p{Lowercase}',
    '[\\P{^Emoji_Modifier}]',
    '(?x)a',
  ])('%s is refused', (pattern) => {
    expect(regexError(pattern)).toMatch(/^error parsing regexp: /);
  });

  it('takes time linear in the text where a backtracking engine takes for ever', () => {
    const text = `${'a'.repeat(50_000)}!`;
    expect(matches('(a+)+', text)).toBe(false);
    expect(matches('(a|a)*(a|aa)*', text)).toBe(false);
    expect(matches('(.*)(.*)(.*)(.*)(.*)x', text)).toBe(false);
  });

  it('goes on after its table of states was thrown away', () => {
    // 2^12 states: more than are kept.
    const pattern = '[ab]*a[ab]{12}';
    const random = (seed: number) =>
      Array.from({ length: 5_000 }, (_, index) => ((index * 7919 + seed * 31) % 13 < 6 ? 'a' : 'b')).join('');
    for (let seed = 0; seed < 5; seed += 1) {
      const text = random(seed);
      expect(matches(pattern, text)).toBe(new RegExp(`^(?:${pattern})$`).test(text));
    }
  });
});
