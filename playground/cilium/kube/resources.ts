/** Where the API server serves each kind the simulator touches. */
import { resource } from './client.ts';

export const resources = {
  namespaces: resource('/api/v1', 'namespaces', false),
  nodes: resource('/api/v1', 'nodes', false),
  pods: resource('/api/v1', 'pods'),
  services: resource('/api/v1', 'services'),
  configMaps: resource('/api/v1', 'configmaps'),
  serviceAccounts: resource('/api/v1', 'serviceaccounts'),
  deployments: resource('/apis/apps/v1', 'deployments'),
  replicaSets: resource('/apis/apps/v1', 'replicasets'),
  endpointSlices: resource('/apis/discovery.k8s.io/v1', 'endpointslices'),
  gatewayClasses: resource('/apis/gateway.networking.k8s.io/v1', 'gatewayclasses', false),
  gateways: resource('/apis/gateway.networking.k8s.io/v1', 'gateways'),
  httpRoutes: resource('/apis/gateway.networking.k8s.io/v1', 'httproutes'),
  grpcRoutes: resource('/apis/gateway.networking.k8s.io/v1', 'grpcroutes'),
  ciliumNodes: resource('/apis/cilium.io/v2', 'ciliumnodes', false),
  ciliumEndpoints: resource('/apis/cilium.io/v2', 'ciliumendpoints'),
  ciliumIdentities: resource('/apis/cilium.io/v2', 'ciliumidentities', false),
  ciliumEnvoyConfigs: resource('/apis/cilium.io/v2', 'ciliumenvoyconfigs'),
  ciliumPolicies: resource('/apis/cilium.io/v2', 'ciliumnetworkpolicies'),
  clusterwidePolicies: resource('/apis/cilium.io/v2', 'ciliumclusterwidenetworkpolicies', false),
  networkPolicies: resource('/apis/networking.k8s.io/v1', 'networkpolicies'),
  roles: resource('/apis/rbac.authorization.k8s.io/v1', 'roles'),
  roleBindings: resource('/apis/rbac.authorization.k8s.io/v1', 'rolebindings'),
  clusterRoles: resource('/apis/rbac.authorization.k8s.io/v1', 'clusterroles', false),
  clusterRoleBindings: resource('/apis/rbac.authorization.k8s.io/v1', 'clusterrolebindings', false),
} as const;

/** `apiVersion/kind` of a manifest to where it is applied. */
export const byKind: Readonly<Record<string, (typeof resources)[keyof typeof resources]>> = {
  'v1/Namespace': resources.namespaces,
  'v1/ConfigMap': resources.configMaps,
  'v1/Service': resources.services,
  'v1/ServiceAccount': resources.serviceAccounts,
  'apps/v1/Deployment': resources.deployments,
  'gateway.networking.k8s.io/v1/GatewayClass': resources.gatewayClasses,
  'gateway.networking.k8s.io/v1/Gateway': resources.gateways,
  'gateway.networking.k8s.io/v1/HTTPRoute': resources.httpRoutes,
  'gateway.networking.k8s.io/v1/GRPCRoute': resources.grpcRoutes,
  'rbac.authorization.k8s.io/v1/Role': resources.roles,
  'rbac.authorization.k8s.io/v1/RoleBinding': resources.roleBindings,
  'rbac.authorization.k8s.io/v1/ClusterRole': resources.clusterRoles,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': resources.clusterRoleBindings,
  'cilium.io/v2/CiliumNetworkPolicy': resources.ciliumPolicies,
  'cilium.io/v2/CiliumClusterwideNetworkPolicy': resources.clusterwidePolicies,
  'networking.k8s.io/v1/NetworkPolicy': resources.networkPolicies,
};
