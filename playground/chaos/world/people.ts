/** Who works with the bot. */
export interface Person {
  readonly name: string;
  readonly userId: string;
  readonly email: string;
  readonly guest: boolean;
}

export const TEAM = 'T0MESHOPS';
export const CHANNEL = 'C0MESH';

function person(name: string, guest = false): Person {
  return {
    name,
    userId: `U0${name.toUpperCase()}`,
    email: `${name.toLowerCase()}@example.com`,
    guest,
  };
}

export const OPERATORS: readonly Person[] = [person('Olga'), person('Omar')];
/** The usergroup whose members may approve. */
export const REVIEWERS: readonly Person[] = [person('Rita'), person('Raj'), person('Omar')];
export const GUEST: Person = person('Gus', true);
export const PEOPLE: readonly Person[] = [...OPERATORS, ...REVIEWERS.filter(({ name }) => name !== 'Omar'), GUEST];
