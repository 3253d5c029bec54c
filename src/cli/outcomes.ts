// What commands about policies end with. Nothing that was not looked at is ever green.

export const EXIT = {
  /** All was read and decided, and nothing was found. */
  fine: 0,
  /** Something was found: an error of `check`, a connection that would be dropped. */
  found: 1,
  /** What was given cannot be read, or an option is missing without which nothing can be decided. */
  unreadable: 2,
  /** It was read, and there was nothing in it to look at. */
  empty: 3,
  /** Nothing was found in what could be read; a part could not. */
  partly: 4,
  /** Nothing was found; something could not be decided. */
  undecided: 5,
} as const;

/** For the help of a command. */
export const EXIT_WORDS = `
Exit codes: ${EXIT.fine} nothing found; ${EXIT.found} something found; ${EXIT.unreadable} cannot be read, or an option is missing; ${EXIT.empty} nothing to look at; ${EXIT.partly} nothing found, but a part could not be read; ${EXIT.undecided} nothing found, but not everything could be decided.`;
