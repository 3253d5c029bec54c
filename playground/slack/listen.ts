// Opening and closing servers on the loopback address.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A socket that listens already, inherited from another process. */
export interface Inherited {
  readonly fd: number;
}

/** Listens on 127.0.0.1 and resolves with the port; 0 asks for a free one. */
export function listen(server: Server, port: number | Inherited): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = (): void => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    };
    if (typeof port === 'number') server.listen(port, '127.0.0.1', listening);
    else server.listen(port, listening);
  });
}

/** Stops listening and cuts every connection. Resolves at once when it was not listening. */
export function unlisten(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
