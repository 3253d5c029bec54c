import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP line to a server that can be cut: bytes stop in both directions, as when a network splits, and nobody is told. */
export interface Line {
  /** `127.0.0.1:<port>` of this end. */
  readonly address: string;
  cut(on: boolean): void;
  stop(): void;
}

/** Opens a line to `host:port`. */
export async function openLine(to: string): Promise<Line> {
  const [host = '', port = ''] = to.split(':');
  const ends = new Set<Socket>();
  let isCut = false;
  const hold = (socket: Socket): void => {
    ends.add(socket);
    if (isCut) socket.pause();
    // Either end may go away at any time; the other one is then closed as well.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => ends.delete(socket));
  };
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    hold(near);
    hold(far);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut(on) {
      isCut = on;
      for (const socket of ends) {
        if (on) socket.pause();
        else socket.resume();
      }
    },
    stop() {
      server.close();
      for (const socket of ends) socket.destroy();
    },
  };
}
