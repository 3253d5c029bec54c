import { KubeConfig } from '@kubernetes/client-node';
import type { Config } from '../domain/config/schema.ts';

export type ClusterConfig = Config['clusters'][string];

/** How the configuration says a cluster is reached. Throws when the context is not in the kubeconfig. */
export function kubeConfigOf({ kubernetes }: ClusterConfig): KubeConfig {
  const config = new KubeConfig();
  if (kubernetes.inCluster) {
    config.loadFromCluster();
    return config;
  }
  if (kubernetes.kubeconfig) config.loadFromFile(kubernetes.kubeconfig);
  else config.loadFromDefault();
  if (kubernetes.context) {
    if (!config.getContextObject(kubernetes.context)) throw new Error(`The kubeconfig has no context "${kubernetes.context}".`);
    config.setCurrentContext(kubernetes.context);
  }
  return config;
}
