import { readFileSync } from 'node:fs';

/**
 * A process that cannot be mistaken for a later one with the same number: its start in clock ticks since boot
 * (field 22 of /proc/<pid>/stat, see proc(5)) and the boot it belongs to.
 */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: string; readonly boot: string };

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A process that ended takes its files in /proc with it: "cannot be read" and "does not exist" are one answer.
    return undefined;
  }
}

function statFields(pid: number): readonly string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The command name in parentheses may itself hold spaces and parentheses: fields are counted after the last one.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The identity of a running process, or undefined when none runs under this number. A zombie counts as ended. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  const startTicks = fields?.[19];
  if (startTicks === undefined || fields?.[0] === 'Z') return undefined;
  return { pid, startTicks, boot: (read('/proc/sys/kernel/random/boot_id') ?? '').trim() };
}

/** Processor time that a process has used, its ended children apart, in seconds (fields 14 and 15 of /proc/<pid>/stat, 100 ticks a second); 0 when it does not run. */
export function processorSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) / 100;
}

/** Whether exactly this process still runs. */
export function isAlive(process: ProcessIdentity): boolean {
  const now = identityOf(process.pid);
  return now !== undefined && now.startTicks === process.startTicks && now.boot === process.boot;
}

/** Sends a signal to a process, or with a negative number to its group; false when there was none to receive it. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // ESRCH: it ended in between. EPERM cannot happen for children of our own.
    return false;
  }
}
