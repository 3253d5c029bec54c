import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP line to a server that can be cut: bytes stop in both directions, as when a network splits, and nobody is told. */
export interface Line {
  /** `127.0.0.1:<port>` of this end. */
  readonly address: string;
  cut(on: boolean): void;
  /** Ends everything that is open, and everything that comes later: both sides see that the other is gone. */
  refuse(): void;
  /** What is open now goes silent for good, and is reset when this end writes to it; new connections pass. As when a router has forgotten them. */
  forget(): void;
  stop(): void;
}

/** Opens a line to `host:port`. */
export async function openLine(to: string): Promise<Line> {
  const [host = '', port = ''] = to.split(':');
  const ends = new Set<Socket>();
  const pairs = new Map<Socket, Socket>();
  let [isCut, isRefused] = [false, false];
  const hold = (socket: Socket): void => {
    ends.add(socket);
    if (isCut) socket.pause();
    // Either end may go away at any time; the other one is then closed as well.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => ends.delete(socket));
  };
  const server = createServer((near) => {
    if (isRefused) return void near.destroy();
    const far = connect(Number(port), host);
    pairs.set(near, far);
    near.on('close', () => pairs.delete(near));
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
    refuse() {
      isRefused = true;
      for (const socket of ends) socket.destroy();
    },
    forget() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        far.pause();
        near.once('data', () => near.resetAndDestroy());
        near.resume();
      }
      pairs.clear();
    },
    stop() {
      server.close();
      for (const socket of ends) socket.destroy();
    },
  };
}
