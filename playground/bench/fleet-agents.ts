/** Process of the fleet bench: light agents that serve the real Observer API, and the traffic that they report. */
import { randomUUID } from 'node:crypto';
import { eventTypes, type Flow, timestamp } from '../cilium/flows/flow.ts';
import { serveObserver } from '../cilium/flows/observer.ts';
import { createRing, type Ring } from '../cilium/flows/ring.ts';
import type { AgentsOrder, AgentsWord } from './fleet-words.ts';

const order = JSON.parse(process.argv[2] ?? '{}') as AgentsOrder;
const tell = (word: AgentsWord): void => void process.send?.(word);

/** A ring that knows how many streams follow it now and how many ever did. */
function counted(ring: Ring): { readonly ring: Ring; readonly streams: () => { readonly open: number; readonly ever: number } } {
  let open = 0;
  let ever = 0;
  const follow: Ring['follow'] = (listener) => {
    open += 1;
    ever += 1;
    const end = ring.follow(listener);
    let ended = false;
    return () => {
      if (!ended) open -= 1;
      ended = true;
      return end();
    };
  };
  const own: Ring = {
    push: (event) => ring.push(event),
    flows: () => ring.flows(),
    losses: () => ring.losses(),
    forget: () => ring.forget(),
    follow,
    get seen() {
      return ring.seen;
    },
  };
  return { ring: own, streams: () => ({ open, ever }) };
}

const agents = await Promise.all(
  Array.from({ length: order.nodes }, async (_, index) => {
    const node = `node-${index + 1}`;
    // A small ring: two hundred agents of full size would measure this process, not the worker.
    const { ring, streams } = counted(createRing({ capacity: 256 }));
    const observer = await serveObserver({ node, ring, now: Date.now, port: 0 });
    return { node, ring, streams, observer, address: `127.0.0.1:${observer.port}` };
  }),
);

const broken = new Map<number, number>();

function answer(target: number, node: string, status: number): Flow {
  return {
    time: timestamp(Date.now()),
    uuid: randomUUID(),
    verdict: 'FORWARDED',
    Type: 'L7',
    node_name: node,
    event_type: { type: eventTypes.accessLog },
    traffic_direction: 'EGRESS',
    IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 8080, destination_port: 40_000 } },
    source: {
      identity: 1_000 + target,
      namespace: `ns-${target}`,
      labels: ['k8s:app=backend', `k8s:io.kubernetes.pod.namespace=ns-${target}`],
      pod_name: 'canary-1',
    },
    destination: { identity: 8, labels: ['reserved:ingress'] },
    l7: {
      type: 'RESPONSE',
      latency_ns: 3e6,
      http: {
        code: status,
        method: 'GET',
        url: 'http://backend/',
        protocol: 'HTTP/1.1',
        headers: [{ key: 'X-Request-Id', value: randomUUID() }],
      },
    },
    is_reply: { value: true },
    Summary: '',
  };
}

function send(target: number, status: number): void {
  const agent = agents[target % agents.length];
  agent?.ring.push({ kind: 'flow', flow: answer(target, agent.node, status) });
}

let cursor = 0;
let due = Date.now();
const step = 1_000 / order.requestsPerSecond;
setInterval(() => {
  for (const now = Date.now(); due < now; due += step) {
    send(cursor, broken.has(cursor) ? 500 : 200);
    cursor = (cursor + 1) % order.targets;
  }
}, 5);

process.on('message', (message: { readonly break?: number; readonly streams?: true }) => {
  if (message.break !== undefined) {
    const target = message.break;
    broken.set(target, Date.now());
    tell({ word: 'broken', target, at: Date.now() });
    // Ten failures a second, the first at once.
    let left = 30;
    const failing = setInterval(() => {
      send(target, 500);
      left -= 1;
      if (left === 0) clearInterval(failing);
    }, 100);
    send(target, 500);
  }
  if (message.streams) {
    const counts = agents.map(({ streams }) => streams());
    tell({
      word: 'streams',
      most: Math.max(...counts.map(({ open }) => open)),
      open: counts.reduce((sum, { open }) => sum + open, 0),
      ever: counts.reduce((sum, { ever }) => sum + ever, 0),
    });
  }
});
process.on('disconnect', () => process.exit(0));
tell({ word: 'ready', nodes: agents.map(({ node, address }) => ({ node, address })) });
