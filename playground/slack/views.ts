// Open modals: one stack for each person, at most three deep.
import { randomBytes } from 'node:crypto';
import type { Changes } from './changes.ts';
import { freshId } from './ids.ts';
import type { Limits } from './limits.ts';
import type { Json } from './messages.ts';
import { SlackRefusal } from './refusal.ts';

export interface OpenView {
  readonly id: string;
  readonly user: string;
  readonly hash: string;
  readonly rootId: string;
  readonly previousId: string | undefined;
  /** The view as the app gave it, with ids filled in. */
  readonly view: Json;
}

export class Views {
  readonly #changes: Changes;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #stacks = new Map<string, OpenView[]>();
  readonly #homes = new Map<string, OpenView>();

  constructor(changes: Changes, limits: Limits, now: () => number) {
    this.#changes = changes;
    this.#limits = limits;
    this.#now = now;
  }

  /** Bottom to top. */
  stack(user: string): readonly OpenView[] {
    return this.#stacks.get(user) ?? [];
  }

  /** What the app's Home shows this person; undefined before it was published. */
  home(user: string): OpenView | undefined {
    return this.#homes.get(user);
  }

  /** Shows a Home. Throws hash_conflict when `hash` is stale. */
  publish(user: string, view: Json, hash: string | undefined): OpenView {
    const before = this.#homes.get(user);
    if (hash !== undefined && before && hash !== before.hash) throw new SlackRefusal('hash_conflict');
    const id = before?.id ?? freshId('V0');
    const shown: OpenView = { id, user, hash: this.#hash(), rootId: id, previousId: undefined, view };
    this.#homes.set(user, shown);
    this.#changes.announce({ kind: 'home', user });
    return shown;
  }

  open(user: string, view: Json): OpenView {
    const id = freshId('V0');
    const opened: OpenView = { id, user, hash: this.#hash(), rootId: id, previousId: undefined, view };
    this.#settle(user, [opened]);
    return opened;
  }

  /** Puts a view on top. Throws push_limit_reached, or not_found when no modal is open. */
  push(user: string, view: Json): OpenView {
    const stack = this.stack(user);
    const [root, top] = [stack[0], stack.at(-1)];
    if (!root || !top) throw new SlackRefusal('not_found');
    if (stack.length >= this.#limits.modalDepth) throw new SlackRefusal('push_limit_reached');
    const added: OpenView = { id: freshId('V0'), user, hash: this.#hash(), rootId: root.id, previousId: top.id, view };
    this.#settle(user, [...stack, added]);
    return added;
  }

  /** Replaces a view found by id or external_id. Throws not_found, or hash_conflict when `hash` is stale. */
  update(which: { id?: string; externalId?: string }, view: Json, hash: string | undefined): OpenView {
    const found = this.find(which);
    if (!found) throw new SlackRefusal('not_found');
    if (hash !== undefined && hash !== found.hash) throw new SlackRefusal('hash_conflict');
    const updated: OpenView = { ...found, view, hash: this.#hash() };
    this.#settle(
      found.user,
      this.stack(found.user).map((open) => (open.id === found.id ? updated : open)),
    );
    return updated;
  }

  find(which: { id?: string; externalId?: string }): OpenView | undefined {
    const all = [...this.#stacks.values()].flat();
    return all.find((open) =>
      which.id === undefined ? open.view['external_id'] === which.externalId && which.externalId !== undefined : open.id === which.id,
    );
  }

  /** Closes the topmost view, or all of them. Returns what was closed, top first. */
  close(user: string, all: boolean): readonly OpenView[] {
    const stack = [...this.stack(user)];
    const closed = all ? stack.splice(0).toReversed() : stack.splice(-1);
    this.#settle(user, stack);
    return closed;
  }

  #hash(): string {
    return `${Math.floor(this.#now() / 1000)}.${randomBytes(4).toString('hex')}`;
  }

  #settle(user: string, stack: readonly OpenView[]): void {
    if (stack.length === 0) this.#stacks.delete(user);
    else this.#stacks.set(user, [...stack]);
    this.#changes.announce({ kind: 'views', user });
  }
}

/** The view object of Slack's answers and payloads; `values` is the state of its inputs. */
export function viewObject(open: OpenView, ids: { team: string; app: string; bot: string }, values: Json = {}): Json {
  return {
    id: open.id,
    team_id: ids.team,
    app_id: ids.app,
    app_installed_team_id: ids.team,
    bot_id: ids.bot,
    callback_id: '',
    private_metadata: '',
    clear_on_close: false,
    notify_on_close: false,
    close: null,
    submit: null,
    external_id: '',
    ...open.view,
    state: { values },
    hash: open.hash,
    root_view_id: open.rootId,
    previous_view_id: open.previousId ?? null,
  };
}
