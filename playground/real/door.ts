import { createServer } from 'node:net';
import type { Env } from '../cluster/cache.ts';
import { StackFailure } from '../cluster/failure.ts';

/**
 * The one way into a world of real nodes: a socket of the machine's loopback that was opened outside, and is inherited. It listens where it was
 * made, whoever holds it, and is gone with its last holder; no address, rule or file of the machine has to do with it.
 */
export const DOOR = 'MESHOPS_REAL_DOOR';

/** The first after the standard ones. */
export const DOOR_FD = 3;

export interface Door {
  readonly fd: number;
  /** Ends our own hold. */
  close(): void;
}

/** Inside: the descriptor of the page's socket; undefined where there is none. */
export const pageDoor = (env: Env): number | undefined => (env[DOOR] === undefined ? undefined : Number(env[DOOR]));

/**
 * Opens a listening socket on 127.0.0.1.
 * @throws StackFailure with one sentence when somebody listens there already
 */
export async function openDoor(port: number): Promise<Door> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new StackFailure('port-taken', `Port ${port} is taken. Choose another with --port.`) : error),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  // The descriptor of a listening server has no public name in Node.
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  return { fd, close: () => void server.close() };
}
