/** Plays the EndpointSlice controller: the addresses of the pods that each Service selects. */
import type { Kube } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { type EndpointSlice, isReady, type Pod, type Service, type ServicePort, selects } from './kube/types.ts';
import type { World } from './world.ts';

const managedBy = 'endpointslice-controller.k8s.io';

function portNumber(port: ServicePort, pods: readonly Pod[]): number {
  const { targetPort } = port;
  if (targetPort === undefined) return port.port;
  if (typeof targetPort === 'number') return targetPort;
  const ports = pods.flatMap((pod) => pod.spec.containers.flatMap((container) => container.ports ?? []));
  return ports.find((candidate) => candidate.name === targetPort)?.containerPort ?? port.port;
}

/** The one slice of a Service: every selected pod with an address, ready or not. */
export function sliceOf(service: Service, pods: readonly Pod[]): EndpointSlice {
  const mine = pods
    .filter(
      (pod) =>
        pod.metadata.namespace === service.metadata.namespace &&
        pod.status?.podIP !== undefined &&
        selects(service.spec.selector, pod.metadata.labels),
    )
    .toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service.metadata.name}-endpoints`,
      namespace: service.metadata.namespace ?? '',
      labels: { 'kubernetes.io/service-name': service.metadata.name, 'endpointslice.kubernetes.io/managed-by': managedBy },
    },
    addressType: 'IPv4',
    endpoints: mine.map((pod) => ({
      addresses: [pod.status?.podIP ?? ''],
      conditions: {
        ready: isReady(pod),
        serving: isReady(pod),
        terminating: pod.metadata.deletionTimestamp !== undefined,
      },
      nodeName: pod.spec.nodeName ?? '',
      targetRef: { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
    })),
    ports: (service.spec.ports ?? []).map((port) => ({
      ...(port.name === undefined ? {} : { name: port.name }),
      port: portNumber(port, mine),
      protocol: port.protocol ?? 'TCP',
    })),
  };
}

/** The controller's loop body. */
export function createEndpointSlices(kube: Kube, world: World): { reconcile(): Promise<void> } {
  const written = new Map<string, string>();
  return {
    reconcile: async () => {
      const pods = [...world.pods.objects.values()];
      for (const [key, service] of world.services.objects) {
        if (service.spec.selector === undefined) continue;
        const slice = sliceOf(service, pods);
        const text = JSON.stringify(slice);
        if (written.get(key) === text) continue;
        await kube.apply(resources.endpointSlices, slice);
        written.set(key, text);
      }
      for (const slice of world.slices.objects.values()) {
        const key = `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
        if (slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] !== managedBy || world.services.objects.has(key)) continue;
        written.delete(key);
        await kube.remove(resources.endpointSlices, slice);
      }
    },
  };
}
