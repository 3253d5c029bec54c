/** Which Service is broken in which way; pods that a Service selects later inherit its fault. */
import { type Pod, type Service, selects } from './kube/types.ts';
import { type Fault, healthy } from './workloads/fault.ts';

export interface FaultBook {
  /** Changes part of a Service's fault; throws when there is no such Service. `service` is `name` or `namespace/name`. */
  change(service: string, part: Partial<Fault>): void;
  /** Makes one Service healthy again, or all of them. */
  mend(service?: string): void;
  /** What is wrong with a pod now. */
  of(pod: Pod): Fault;
}

/** Full key of a Service named with or without its namespace; throws when none or several fit. */
export function serviceKey(services: ReadonlyMap<string, Service>, service: string): string {
  const keys = [...services.keys()].filter((key) => key === service || key.endsWith(`/${service}`));
  const [only] = keys;
  if (only === undefined || keys.length > 1) {
    throw new Error(`${keys.length} Services are called ${service}. No fault was set. Use one of: ${[...services.keys()].join(', ')}.`);
  }
  return only;
}

/** A book without faults; `onChange` is called after each change. */
export function createFaultBook(services: ReadonlyMap<string, Service>, onChange: () => void): FaultBook {
  const faults = new Map<string, Fault>();
  return {
    change: (service, part) => {
      const key = serviceKey(services, service);
      faults.set(key, { ...(faults.get(key) ?? healthy), ...part });
      onChange();
    },
    mend: (service) => {
      if (service === undefined) faults.clear();
      else faults.delete(serviceKey(services, service));
      onChange();
    },
    of: (pod) => {
      for (const [key, fault] of faults) {
        const service = services.get(key);
        if (service && service.metadata.namespace === pod.metadata.namespace && selects(service.spec.selector, pod.metadata.labels))
          return fault;
      }
      return healthy;
    },
  };
}
