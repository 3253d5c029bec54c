// What is read of Cilium's objects and of nodes, for their encryption.
import type { Condition, KubeObject } from '../../clients/kubernetes/objects.ts';
import type { JsonObject } from '../../domain/json.ts';

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

export interface DaemonSet extends KubeObject {
  readonly spec: JsonObject & {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly (Container & JsonObject)[];
        readonly initContainers?: readonly (Container & JsonObject)[];
        readonly volumes?: readonly (JsonObject & { readonly secret?: JsonObject & { readonly secretName?: string } })[];
      };
    };
  };
}

export interface AgentPod extends KubeObject {
  readonly spec: JsonObject & { readonly nodeName?: string; readonly containers?: readonly (Container & JsonObject)[] };
  readonly status?: {
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: { readonly running?: { readonly startedAt?: string } };
    }[];
  };
}

export interface NodeObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly nodeInfo?: { readonly kernelVersion?: string } };
}

export interface NodeConfig extends KubeObject {
  readonly spec: JsonObject & {
    readonly defaults?: Readonly<Record<string, string>>;
    readonly nodeSelector?: JsonObject & {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly (JsonObject & {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[];
      })[];
    };
  };
}

export interface NodeOfCilium extends KubeObject {
  readonly spec: JsonObject & {
    readonly addresses?: readonly (JsonObject & { readonly type: string; readonly ip: string })[];
    readonly encryption?: JsonObject & { readonly key?: number };
  };
}

export interface Endpoint extends KubeObject {
  readonly status?: {
    readonly encryption?: { readonly key?: number };
    readonly networking?: {
      readonly node?: string;
      readonly addressing?: readonly { readonly ipv4?: string; readonly ipv6?: string }[];
    };
  };
}
