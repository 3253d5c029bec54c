/** Room for work that asks a cluster at length: few at once, and no person may take it all. */
export interface Room {
  /** A place, given back by calling it; undefined when all of them, or this person's, are taken. */
  enter(person: string): (() => void) | undefined;
}

export function createRoom(most = 8, each = 2): Room {
  const inside = new Map<string, number>();
  let all = 0;
  return {
    enter: (person) => {
      const own = inside.get(person) ?? 0;
      if (all >= most || own >= each) return undefined;
      all += 1;
      inside.set(person, own + 1);
      return () => {
        all -= 1;
        const left = (inside.get(person) ?? 1) - 1;
        if (left > 0) inside.set(person, left);
        else inside.delete(person);
      };
    },
  };
}
