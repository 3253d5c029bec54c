import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';

/** A proxy that makes tunnels (CONNECT) and nothing else, and adds to `seen` where each leads: `host:port`. It ends them with their clients. */
export function connectProxy(seen: string[]): Server {
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on('connect', (request, socket, head) => {
    seen.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const way = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      way.write(head);
      way.pipe(socket).pipe(way);
    });
    for (const one of [way, socket]) one.on('error', () => one.destroy());
    socket.on('close', () => way.destroy());
  });
  return proxy;
}
