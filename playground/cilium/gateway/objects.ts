/** What Cilium's operator makes of a Gateway and of a Service of the mesh: the CiliumEnvoyConfig that holds the weights, and a Gateway's Service. */
import type { Gateway, KubeObject } from '../kube/types.ts';
import type { MeshService } from './mesh-services.ts';
import { type AttachedRoute, clusterTargets, gatewayConfig, routeConfiguration } from './translate.ts';

function labelsOf(gateway: Gateway): Readonly<Record<string, string>> {
  return {
    'gateway.networking.k8s.io/gateway-name': gateway.metadata.name,
    'io.cilium.gateway/owning-gateway': gateway.metadata.name,
  };
}

function metadataOf(gateway: Gateway): KubeObject['metadata'] {
  return {
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
  };
}

/** The Service of type LoadBalancer through which a Gateway is reached; no selector, since Envoy and not pods answer. */
export function gatewayService(gateway: Gateway): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(gateway),
    spec: {
      type: 'LoadBalancer',
      ports: gateway.spec.listeners.map((listener) => ({ name: `port-${listener.port}`, port: listener.port, protocol: 'TCP' })),
    },
  } as KubeObject;
}

/** The CiliumEnvoyConfig of a Gateway: the same routes and clusters that Envoy gets. */
export function gatewayEnvoyConfig(gateway: Gateway, routes: readonly AttachedRoute[]): KubeObject {
  const [listener] = gateway.spec.listeners;
  const services = [
    {
      name: `cilium-gateway-${gateway.metadata.name}`,
      namespace: gateway.metadata.namespace,
      listener: 'listener',
      ports: gateway.spec.listeners.map((each) => each.port),
    },
  ];
  return envoyConfig(metadataOf(gateway), services, gatewayConfig(gateway), listener?.hostname, routes);
}

/**
 * The CiliumEnvoyConfig of a Service that routes hang on: of the Service's name, owned by a route (v1.20.2
 * operator/pkg/model/translation/gateway-api/translator.go).
 */
export function serviceEnvoyConfig({ service, port, routes }: MeshService): KubeObject {
  const { name, namespace = '' } = service.metadata;
  const [owner] = routes;
  const metadata = {
    name,
    namespace,
    labels: { 'gateway.networking.k8s.io/gateway-name': owner?.route.metadata.name ?? name },
    ownerReferences: [
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: owner?.kind ?? 'HTTPRoute',
        name: owner?.route.metadata.name ?? '',
        uid: owner?.route.metadata.uid ?? '',
        controller: true,
      },
    ],
  };
  return envoyConfig(metadata, [{ name, namespace, listener: 'listener', ports: [port] }], `${namespace}/${name}`, undefined, routes);
}

function envoyConfig(
  metadata: KubeObject['metadata'],
  services: readonly object[],
  config: string,
  hostname: string | undefined,
  routes: readonly AttachedRoute[],
): KubeObject {
  const targets = clusterTargets(config, routes);
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEnvoyConfig',
    metadata,
    spec: {
      services,
      backendServices: targets.map((target) => ({ name: target.service, namespace: target.namespace, number: [String(target.port)] })),
      resources: [
        routeConfiguration('listener-insecure', config, hostname, routes),
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
}
