// Arguments of a Web API call: form-encoded or JSON, where lists and objects may arrive as JSON text.
import { SlackRefusal } from './refusal.ts';

export class Args {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null && this.#values[name] !== '';
  }

  optional(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  }

  /** Throws `invalid_arguments` naming the argument, or the given code. */
  required(name: string, code = 'invalid_arguments'): string {
    const value = this.optional(name);
    if (value === undefined || value === '') throw new SlackRefusal(code, { messages: [`[ERROR] missing required field: ${name}`] });
    return value;
  }

  flag(name: string): boolean {
    return this.optional(name) === 'true' || this.optional(name) === '1';
  }

  number(name: string, otherwise: number): number {
    const value = Number(this.optional(name) ?? otherwise);
    if (!Number.isFinite(value)) throw new SlackRefusal('invalid_arguments', { messages: [`[ERROR] must be a number: ${name}`] });
    return value;
  }

  /** A structured argument, parsed if it came as text. Throws the given code on text that is not JSON. */
  json(name: string, code = 'invalid_arguments'): unknown {
    const value = this.#values[name];
    if (typeof value !== 'string') return value ?? undefined;
    if (value === '') return undefined;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw new SlackRefusal(code, { messages: [`[ERROR] ${name} is not JSON`] });
    }
  }

  /** One line for the log: what was asked for, without tokens and long texts. */
  summary(): string {
    const shown = ['channel', 'user', 'ts', 'thread_ts', 'view_id', 'text', 'email', 'usergroup', 'filename'];
    const parts = shown.filter((name) => this.has(name)).map((name) => `${name}=${(this.optional(name) ?? '').slice(0, 60)}`);
    return parts.join(' ');
  }
}
