// What `status` says of Git: where it does not have what completed operations have left.
import type { Handover } from '../audit/handovers.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { clockTime, code, said } from '../domain/words/words.ts';
import type { BotDeps } from './deps.ts';

const MOST_SHOWN = 10;

/** One line for each; none where Git agrees or where nothing is configured. Where nobody can say, that is the line. */
export async function handoverLines(
  { handovers, config, log }: Pick<BotDeps, 'handovers' | 'config' | 'log'>,
  isVisible: (target: Target) => boolean,
  target?: Target,
): Promise<readonly string[]> {
  if (!handovers || config().handover.length === 0) return [];
  try {
    const open = (await handovers.open(target)).filter((one) => isVisible(one.target));
    return open.slice(0, MOST_SHOWN).map(lineOf);
  } catch (error) {
    log.warn({ err: error }, 'what Git has could not be looked up for a status');
    return ['Whether Git has what operations left is not known: the database does not answer.'];
  }
}

function lineOf({ opId, target, state, note, checkedAt }: Handover): string {
  const { repository, branch, paths = [], url, problems = [], reason } = note;
  const who = `${code(formatTarget(target))}, as *${said(opId)}* left it`;
  const silent = reason === undefined ? '' : ` Git does not answer now: ${said(reason, 200)}.`;
  if (state === 'pending') return `${who}: not compared with Git yet.${silent}`;
  const where = repository === undefined ? '' : ` (${code(repository)}, ${code(branch ?? '')})`;
  const what = [...paths.map((path) => code(path)), ...problems.map((one) => said(one, 200))].join(', ');
  const link = url === undefined ? '' : ` <${url}|Pull request>.`;
  const read = checkedAt === undefined ? '' : ` Read ${clockTime(checkedAt)}.`;
  return `${who}: *differs from Git*${where}: ${what}.${link}${read}${silent}`;
}
