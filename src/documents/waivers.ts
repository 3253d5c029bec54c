import type { Finding } from '../domain/policy/lint/finding.ts';

/** `# meshops:allow http-glob because …`: on the line of the finding, or in a comment right above it. */
const WAIVER = /#\s*meshops:allow\s+(?<rule>[a-z0-9-]+)(?:\s+(?:because|--|:)\s*(?<reason>\S.*))?/;
const MARK = 'meshops:allow';

export interface Waived {
  readonly finding: Finding;
  readonly reason: string;
}

interface Applied {
  readonly findings: readonly Finding[];
  readonly waived: readonly Waived[];
}

/** Takes out what people have allowed in the text with a reason. A waiver without a reason, or for nothing, is a finding itself. */
export function applyWaivers(text: string, findings: readonly Finding[], file: string | undefined): Applied {
  if (!text.includes(MARK)) return { findings, waived: [] };
  const waivers = waiversIn(text);
  const waived: Waived[] = [];
  const used = new Set<Waiver>();
  const left = findings.filter((finding) => {
    const waiver = waivers.find(({ rule, lines, reason }) => rule === finding.rule && reason !== undefined && lines.includes(finding.line));
    if (waiver?.reason === undefined) return true;
    used.add(waiver);
    waived.push({ finding, reason: waiver.reason });
    return false;
  });
  const wrong = waivers.filter((one) => !used.has(one)).map((one) => complaint(one, file));
  return { findings: [...left, ...wrong], waived };
}

interface Waiver {
  readonly at: number;
  readonly rule: string;
  readonly reason: string | undefined;
  /** Where it holds. */
  readonly lines: readonly number[];
}

function waiversIn(text: string): readonly Waiver[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const { rule, reason } = WAIVER.exec(line)?.groups ?? {};
    if (rule === undefined) return [];
    const isAlone = line.trimStart().startsWith('#');
    return [{ at: index + 1, rule, reason: reason?.trim(), lines: isAlone ? [nextLine(lines, index)] : [index + 1] }];
  });
}

/** The first line below that is no comment. */
function nextLine(lines: readonly string[], from: number): number {
  const below = lines.findIndex((line, index) => index > from && !/^\s*(#|$)/.test(line));
  return below + 1;
}

function complaint({ at, rule, reason }: Waiver, file: string | undefined): Finding {
  return {
    rule: 'waiver',
    severity: 'warning',
    ...(file === undefined ? {} : { file }),
    line: at,
    column: 1,
    endLine: at,
    endColumn: 2,
    path: '',
    happens:
      reason === undefined
        ? `This waiver of ${rule} gives no reason, so it does not count.`
        : `There is nothing here for which ${rule} must be waived.`,
    instead: reason === undefined ? `\`# meshops:allow ${rule} because …\`.` : 'Take the waiver out.',
  };
}
