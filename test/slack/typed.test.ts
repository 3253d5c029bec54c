import { expect, test } from 'vitest';
import { commandIn } from '../../src/slack/mention.ts';
import { typed } from '../../src/slack/typed.ts';

const names: Readonly<Record<string, string>> = { U0REVIEWER: 'Reviewer' };
const nameOf = async (id: string): Promise<string | undefined> => names[id];

test.each([
  ['freeze demo 2h see <mailto:a@b.example|a@b.example>', 'freeze demo 2h see a@b.example'],
  ['--reason <https://wiki.example/x?a=1&amp;b=2>', '--reason https://wiki.example/x?a=1&b=2'],
  ['<http://api.example.com:443|api.example.com:443>', 'api.example.com:443'],
  ['asked by <@U0OPERATOR|operator> and <@U0REVIEWER>', 'asked by @operator and @Reviewer'],
  ['<@U0NOBODY> said so', '@U0NOBODY said so'],
  ['in <#C0MESH|mesh> for <!subteam^S0REVIEWERS|@mesh-reviewers>', 'in #mesh for @mesh-reviewers'],
  ['since <!date^1700000000^{time}|22:04 UTC>', 'since 22:04 UTC'],
  ['<!channel> and <b>', '<!channel> and <b>'],
  ['abort\u0000 back\u202Eend \u2066now\u2069\u0007\u00AD\u{E0041}', 'abort backend now'],
  ['a -&gt; b:8080 &amp;amp; &lt;@U0REVIEWER&gt;', 'a -> b:8080 &amp; <@U0REVIEWER>'],
])('%s was typed as %s', async (sent, was) => {
  expect(await typed(sent, nameOf)).toBe(was);
});

test.each([
  ['<@U0MESHOPS> abort backend', 'abort backend'],
  ['  <@U0MESHOPS|meshops>: abort backend', 'abort backend'],
  ['<@U0MESHOPS>, abort backend', 'abort backend'],
  ['<@U0MESHOPS>\nstatus', 'status'],
  ['<@U0MESHOPS>', ''],
  ['<@U0MESHOPS> freeze demo 2h <@U0REVIEWER> asked', 'freeze demo 2h <@U0REVIEWER> asked'],
  ['abort backend is what <@U0MESHOPS> told me to type yesterday', undefined],
  ['<@U0REVIEWER> <@U0MESHOPS> abort backend', undefined],
  ['<@U0MESHOPS>abort backend', undefined],
])('%s commands %s', (text, words) => {
  expect(commandIn(text, 'U0MESHOPS')).toBe(words);
});
