/** What Cilium's operator makes of a Gateway: the load-balancer Service and the CiliumEnvoyConfig that holds the weights. */
import type { Gateway, KubeObject } from '../kube/types.ts';
import type { AttachedRoute } from './translate.ts';
import { clusterTargets, routeConfiguration } from './translate.ts';

const labelsOf = (gateway: Gateway): Readonly<Record<string, string>> => ({
  'gateway.networking.k8s.io/gateway-name': gateway.metadata.name,
  'io.cilium.gateway/owning-gateway': gateway.metadata.name,
});

const metadataOf = (gateway: Gateway): KubeObject['metadata'] => ({
  name: `cilium-gateway-${gateway.metadata.name}`,
  namespace: gateway.metadata.namespace ?? '',
  labels: labelsOf(gateway),
  ownerReferences: [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      name: gateway.metadata.name,
      uid: gateway.metadata.uid ?? '',
      controller: true,
    },
  ],
});

/** The Service of type LoadBalancer through which a Gateway is reached; no selector, since Envoy and not pods answer. */
export const gatewayService = (gateway: Gateway): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(gateway),
    spec: {
      type: 'LoadBalancer',
      ports: gateway.spec.listeners.map((listener) => ({ name: `port-${listener.port}`, port: listener.port, protocol: 'TCP' })),
    },
  }) as KubeObject;

/** The CiliumEnvoyConfig of a Gateway: the same routes and clusters that Envoy gets. */
export const gatewayEnvoyConfig = (gateway: Gateway, routes: readonly AttachedRoute[]): KubeObject => {
  const targets = clusterTargets(gateway, routes);
  const [listener] = gateway.spec.listeners;
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEnvoyConfig',
    metadata: metadataOf(gateway),
    spec: {
      services: [
        {
          name: `cilium-gateway-${gateway.metadata.name}`,
          namespace: gateway.metadata.namespace,
          listener: 'listener',
          ports: gateway.spec.listeners.map((each) => each.port),
        },
      ],
      backendServices: targets.map((target) => ({ name: target.service, namespace: target.namespace, number: [String(target.port)] })),
      resources: [
        routeConfiguration('listener-insecure', gateway, listener?.hostname, routes),
        ...targets.map((target) => ({
          '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
          name: target.name,
          type: 'EDS',
          connectTimeout: '5s',
          edsClusterConfig: { serviceName: `${target.namespace}/${target.service}:${target.port}` },
        })),
      ],
    },
  } as KubeObject;
};
