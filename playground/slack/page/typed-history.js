// What was sent before, for the arrow keys; shared by all boxes of the window.
const key = 'history';
const past = JSON.parse(sessionStorage.getItem(key) ?? '[]');

export function typedHistory() {
  let at = past.length;
  let draft = '';
  return {
    isBrowsing: () => at < past.length,
    leave: () => {
      at = past.length;
    },
    add: (text) => {
      if (text && past.at(-1) !== text) past.push(text);
      sessionStorage.setItem(key, JSON.stringify(past.slice(-50)));
      at = past.length;
    },
    /** The text one step back (-1) or forward (1); at the end, what was being typed. */
    step: (by, present) => {
      if (at === past.length) draft = present;
      at = Math.max(0, Math.min(past.length, at + by));
      return past[at] ?? draft;
    },
  };
}
