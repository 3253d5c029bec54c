// What the message box offers while typing: commands with their usage, and people after an @.
import { store } from './store.js';

/** The forms of a command: its usage text, one form for each part between bars. */
function forms(command) {
  const parts = command.usage
    .split(/\s+\|\s+|\n/)
    .map((part) => part.trim())
    .filter(Boolean);
  const named = parts.map((part) => (part.startsWith('/') ? part : `${command.command} ${part}`));
  return named.length > 0 ? named : [command.command];
}

/** As far as a form can be typed for the person: up to its first <placeholder> or [option]. */
function fixedPart(form) {
  return `${form.split(/[<[]/)[0].trimEnd()} `;
}

function commandOffers(text) {
  const offers = [];
  for (const command of store.commands) {
    for (const form of forms(command)) {
      const fixed = fixedPart(form);
      const fits = fixed.startsWith(text) || form.startsWith(text);
      if (fits && fixed.trimEnd() !== text.trimEnd()) offers.push({ label: form, detail: command.description, insert: fixed });
    }
  }
  return offers;
}

function peopleOffers(text) {
  const typed = /(^|\s)@([\w.-]*)$/.exec(text);
  if (!typed) return [];
  const names = [
    ...[...store.users.values()].filter((user) => !user.deleted).map((user) => [user.name, user.real_name]),
    ...[...store.usergroups.values()].map((group) => [group.handle, 'user group']),
  ];
  const before = text.slice(0, text.length - (typed[2] ?? '').length);
  return names
    .filter(([name]) => name.startsWith(typed[2]))
    .map(([name, detail]) => ({ label: `@${name}`, detail, insert: `${before}${name} ` }));
}

export function offersFor(text) {
  const offers = text.startsWith('/') ? [...commandOffers(text), ...peopleOffers(text)] : peopleOffers(text);
  return offers.slice(0, 12);
}

/** The form the typed text belongs to, shown as a hint while arguments are typed. */
export function usageFor(text) {
  const command = store.commands.find((one) => text.startsWith(`${one.command} `));
  if (!command) return undefined;
  const typed = text.split(/\s+/);
  const fits = forms(command).filter((form) => form.split(/\s+/).slice(0, 2).join(' ').startsWith(typed.slice(0, 2).join(' ').trim()));
  return fits[0] ?? forms(command)[0];
}
