import type { Env } from './cache.ts';
import { runOrFail } from './command.ts';

/** How far a build is, in words for the ticks: what is fetched, then a bar, a count, and how long it will take about. */
export interface BuildProgress {
  /** One line of what the Go command says while it looks for what there is to compile: `go: downloading …`. */
  fetched(line: string): void;
  /** What there is to compile is known. */
  counted(packages: number): void;
  /** One line of `go build -v`: the import path of a package that is compiled now. */
  compiled(line: string): void;
}

// With the name and the time before and behind it a line fits a terminal of 80 columns.
const WIDTH = 10;

/** A bar of 10, as `███░░░░░░░`. */
export function bar(share: number): string {
  const full = Math.max(0, Math.min(WIDTH, Math.round(share * WIDTH)));
  return '█'.repeat(full) + '░'.repeat(WIDTH - full);
}

const timeText = (ms: number): string => (ms < 90_000 ? `${Math.max(5, Math.ceil(ms / 5_000) * 5)} s` : `${Math.ceil(ms / 60_000)} min`);

/** Too few packages say nothing about the others. */
const LEAST_SHARE = 0.05;

/** Tells `say` how far a build is. `now`: epoch ms. */
export function buildProgress(say: (words: string) => void, now: () => number = Date.now): BuildProgress {
  let [modules, done, total, begun] = [0, 0, 0, 0];
  const shown = (): void => {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    if (share >= 1) return say(`linking, all ${total} packages are compiled`);
    const left = share < LEAST_SHARE ? '' : `; ~${timeText(((now() - begun) / share) * (1 - share))} left`;
    say(`compiling ${bar(share)} ${done}/${total}${left}`);
  };
  return {
    fetched: (line) => {
      const module = /^go: downloading (\S+) (\S+)/.exec(line);
      if (!module) return;
      modules += 1;
      say(`fetching sources: ${modules} modules, now ${module[1]}`);
    },
    counted: (packages) => {
      total = packages;
      begun = now();
      shown();
    },
    compiled: (line) => {
      if (line.startsWith('go: downloading')) return;
      done += 1;
      shown();
    },
  };
}

/** A command of a Go module that is pinned here. */
export interface GoBuild {
  readonly what: string;
  /** Folder of the module. */
  readonly cwd: string;
  readonly target: string;
  readonly output: string;
  /** For the linker, beside those that leave out what only a debugger needs. */
  readonly ldflags?: string;
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly say: (words: string) => void;
}

/** Where what is missing comes from, for the sentence that says it cannot be reached. */
const PROXY = 'the Go module proxy';

/** Compiles it, saying how far it is. What an earlier build has compiled already is neither counted nor compiled again. */
export async function compile({ what, cwd, target, output, ldflags = '', env, signal, say }: GoBuild): Promise<void> {
  const progress = buildProgress(say);
  const flags = ['-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', `-s -w ${ldflags}`.trim()];
  const go = (args: readonly string[], line: (text: string) => void): Promise<string> =>
    runOrFail(what, PROXY, { program: 'go', args, env, signal, cwd, line });
  say('looking for what there is to compile');
  const stale = await go(['list', ...flags, '-deps', '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', target], (line) =>
    progress.fetched(line),
  );
  progress.counted(stale.split('\n').filter((line) => line !== '').length);
  await go(['build', ...flags, '-v', '-o', output, target], (line) => progress.compiled(line));
}
