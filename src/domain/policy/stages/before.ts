import type { Evidence } from '../../judge/evidence.ts';

type Unread = Extract<Evidence, { kind: 'before' }>['unread'];

const MOST_NAMED = 3;

/** Whether it is known what there was before a stage: a connection that stays open shows nowhere else. */
export class Before {
  /** Nodes whose records could not be read; undefined: they are still being told. */
  #unread: Unread | undefined;

  constructor(unread: Unread | undefined) {
    this.#unread = unread;
  }

  told(unread: Unread): void {
    this.#unread = unread;
  }

  get isPending(): boolean {
    return this.#unread === undefined;
  }

  /** What is not known, in words; undefined where everything has been told. */
  unknown(): string | undefined {
    if (this.#unread?.length === 0) return undefined;
    const nodes = this.#unread?.map(({ node, reason }) => `${node} (${reason})`) ?? ['the nodes in time'];
    const more = nodes.length > MOST_NAMED ? ` and ${nodes.length - MOST_NAMED} more` : '';
    const named = `${nodes.slice(0, MOST_NAMED).join(', ')}${more}`;
    return `The flows from before this step could not be read from ${named}, so a connection that was open by then may have been missed`;
  }

  snapshot() {
    return this.#unread?.map(({ node, reason }) => ({ node, reason })) ?? null;
  }
}
