/** Turns what Envoy logged into flows for the agent of its node and into the true record of requests. */
import type { Exchange } from '../envoy/access-log.ts';
import type { Agents } from '../flows/agents.ts';
import { type ExchangeContext, requestFlow, responseFlow, secondReport } from '../flows/exchange-flows.ts';
import type { Flow } from '../flows/flow.ts';
import type { Route } from '../kube/types.ts';
import { gatewayNode, meshNodes } from '../nodes.ts';
import type { PodBook } from '../pod-book.ts';
import type { TruthWriter } from '../truth.ts';
import type { World } from '../world.ts';
import { parseClusterName } from './translate.ts';
import type { Xds } from './xds.ts';

export interface WitnessOptions {
  readonly world: World;
  readonly book: PodBook;
  readonly xds: Xds;
  readonly agents: Agents;
  readonly truth: TruthWriter;
  readonly uuid: () => string;
  /** Namespaces whose pods report what they get a second time. */
  readonly doubles: { has(namespace: string): boolean };
  /** Address of a Gateway, `namespace/name`. */
  readonly addressOf: (gateway: string) => string;
  /** True while a pod drops what the proxy sends it: Envoy believes itself connected, which no datapath would let it. */
  readonly isShut: (pod: string) => boolean;
}

// A request is remembered from "reached" to "ended"; hanging ones are forgotten in the end rather than kept for ever.
const maxOpen = 10_000;
// Endpoints written are not yet endpoints in force: a cluster may lack them in Envoy a little longer than in our files.
const settleMs = 1_000;

/** The server's own failures: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const grpcFailures: ReadonlySet<number> = new Set([2, 4, 13, 14, 15]);

/** `namespace/name` of the Service an exchange was for. Envoy names no cluster when it had none to send to; the rule then says which lacked one. */
function serviceOf(exchange: Exchange, options: WitnessOptions): string {
  const parsed = parseClusterName(exchange.cluster);
  if (parsed) return `${parsed.namespace}/${parsed.service}`;
  const [namespace = '', name = '', index = ''] = exchange.routeName.split('/');
  const key = `${namespace}/${name}`;
  const route: Route | undefined = options.world.httpRoutes.objects.get(key) ?? options.world.grpcRoutes.objects.get(key);
  const backends = (route?.spec.rules?.[Number(index)]?.backendRefs ?? []).filter((backend) => (backend.weight ?? 1) > 0);
  const suffixOf = (backend: (typeof backends)[number]): string => `/${backend.namespace ?? namespace}:${backend.name}:${backend.port}`;
  const lacking = backends.filter((backend) => {
    const found = [...options.xds.clusters].find(([cluster]) => cluster.endsWith(suffixOf(backend)));
    if (found === undefined) return true;
    const { ports, lastEmptyAt } = found[1];
    return ports.length === 0 || (lastEmptyAt !== undefined && exchange.startedAt - lastEmptyAt < settleMs);
  });
  const [chosen] = lacking.length > 0 ? lacking : backends;
  return chosen ? `${chosen.namespace ?? namespace}/${chosen.name}` : '';
}

/** The consumer of the access log. */
export function createWitness(options: WitnessOptions): (exchange: Exchange) => void {
  const { agents, book, world, truth } = options;
  const open = new Map<string, number>();

  const contextOf = (exchange: Exchange, reached: boolean): ExchangeContext => {
    const entry = options.xds.entryOf(exchange.listenerPort);
    const [namespace = '', name = ''] = (entry?.of ?? '').split('/');
    const node = entry?.node ?? gatewayNode;
    const isService = entry?.kind === 'service';
    const address = isService ? world.services.objects.get(entry.of)?.spec.clusterIP : options.addressOf(`${namespace}/${name}`);
    return {
      node,
      // Also for a Service of the mesh: its CiliumEnvoyConfig says use-original-source-address=false (cilium/cilium #37335).
      ingressAddress: meshNodes.find((each) => each.name === node)?.ingressAddress ?? '',
      gateway: { address: address ?? '', port: entry?.port ?? 80 },
      pod: reached ? book.byPort(exchange.upstreamPort) : undefined,
      service: { name: isService ? name : `cilium-gateway-${name}`, namespace },
      uuid: options.uuid,
    };
  };

  const report = (flow: Flow, { node, pod }: ExchangeContext): void => {
    agents.report(node, flow);
    if (pod && options.doubles.has(pod.namespace)) agents.report(pod.node, secondReport(flow, pod, options.uuid()));
  };

  const ended = (exchange: Exchange): void => {
    const reached = open.delete(exchange.requestId);
    const context = contextOf(exchange, reached);
    if (exchange.status > 0) {
      // Nothing was reached: the request's own record comes only now, with the address that the client called.
      if (!reached) report(requestFlow(exchange, context), context);
      report(responseFlow(exchange, context), context);
    }
    truth.request({
      at: exchange.endedAt,
      startedAt: exchange.startedAt,
      service: serviceOf(exchange, options),
      backend: context.pod?.key ?? '',
      status: exchange.status,
      ...(exchange.grpcStatus === undefined ? {} : { grpcStatus: exchange.grpcStatus }),
      latencyMs: exchange.endedAt - exchange.startedAt,
      ok: exchange.status > 0 && exchange.status < 500 && !grpcFailures.has(exchange.grpcStatus ?? 0),
    });
  };

  return (exchange) => {
    if (exchange.moment === 'ended') {
      ended(exchange);
      return;
    }
    if (options.isShut(book.byPort(exchange.upstreamPort)?.key ?? '')) return;
    if (open.size >= maxOpen) open.delete(open.keys().next().value ?? '');
    open.set(exchange.requestId, exchange.startedAt);
    const context = contextOf(exchange, true);
    report(requestFlow(exchange, context), context);
  };
}
