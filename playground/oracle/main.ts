import { Command } from 'commander';
import { reasonOf } from '../cluster/failure.ts';
import { compare, readCases } from './cases.ts';
import { askEngine, buildEngine } from './engine.ts';
import { tryWays } from './ways.ts';

/** `npm run oracle -- <cases.jsonl[.gz]>`: decides each case and compares; exit 1 if one disagrees, 2 if the file cannot be read. */
const program = new Command('npm run oracle --')
  .description("Decides policy cases and compares with what Cilium's engine said. Prints {cases, agree, disagree} on one line.")
  .argument('<file>', 'cases.jsonl or cases.jsonl.gz')
  .option('--explain', 'each disagreement in words on stderr');

program.action(async (file: string, options: { readonly explain?: boolean }) => {
  const cases = await readCases(file).catch((error: unknown) => program.error(reasonOf(error), { exitCode: 2 }));
  const tell = options.explain ? (id: string, words: readonly string[]) => process.stderr.write(`${id}: ${words.join('; ')}\n`) : undefined;
  const result = compare(cases, tell);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.disagree.length === 0 ? 0 : 1;
});

program
  .command('ways')
  .description('Random ways from one policy to another: no moment looser than the looser or tighter than the tighter of both ends.')
  .option('--runs <n>', 'how many', '1000')
  .option('--seed <n>', 'to repeat a run')
  .option('--out <file>', "flows at each moment as cases, for Cilium's own engine to decide")
  .action((options: { readonly runs: string; readonly seed?: string; readonly out?: string }) => {
    const seed = Number(options.seed ?? Date.now() % 2 ** 31);
    const result = tryWays({ runs: Number(options.runs), seed, out: options.out });
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.breaches === 0 ? 0 : 1;
  });

program
  .command('engine')
  .description("Lets Cilium's own policy engine, built from its Go module, decide cases: layers 3 and 4 and the proxy of both ends.")
  .argument('<file>', 'cases.jsonl or cases.jsonl.gz')
  .option('--sample <n>', 'so many, spread over the file; left out: all')
  .action(async (file: string, { sample }: { readonly sample?: string }) => {
    const cases = await readCases(file);
    const program = buildEngine(process.env, (line) => process.stderr.write(`… ${line}\n`));
    const result = await askEngine(program, cases, sample === undefined ? undefined : Number(sample));
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.disagree.length === 0 ? 0 : 1;
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 2;
});
