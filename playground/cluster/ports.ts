import { createServer } from 'node:net';
import { StackFailure } from './failure.ts';

// Below Linux's range for outgoing connections (32768 and up), so that no connection takes a port between choice and use.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 200;

/** Whether a loopback port can be listened on now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Distinct free loopback ports. Each instance gives a port out once. */
export type Ports = {
  /** @throws StackFailure `port-taken` when `wanted` is given and in use */
  take(purpose: string, wanted?: number): Promise<number>;
};

/** @param random uniform in [0, 1) */
export function openPorts(random: () => number): Ports {
  const given = new Set<number>();
  const fixed = async (purpose: string, port: number): Promise<number> => {
    if (given.has(port) || !(await isFree(port))) {
      throw new StackFailure(
        'port-taken',
        `Port ${port} for ${purpose} is in use by another program. Stop that program or choose another port, then start again.`,
      );
    }
    given.add(port);
    return port;
  };
  return {
    take: async (purpose, wanted) => {
      if (wanted !== undefined) return fixed(purpose, wanted);
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const port = LOWEST + Math.floor(random() * (HIGHEST - LOWEST));
        if (given.has(port) || !(await isFree(port))) continue;
        given.add(port);
        return port;
      }
      throw new StackFailure('port-taken', `No free port was found on 127.0.0.1 between ${LOWEST} and ${HIGHEST} for ${purpose}.`);
    },
  };
}
