import type { HttpRequest, PolicyFlow } from '../flow.ts';

/** What people overlook: the query string belongs to the path, and the port to the host. Empty where neither decided. */
export function queryWords(flow: PolicyFlow, isPermitted: (flow: PolicyFlow) => boolean): string {
  const { http } = flow;
  if (!http || isPermitted(flow)) return '';
  const wouldPass = (other: HttpRequest): boolean => isPermitted({ ...flow, http: other });
  const [path = '', query] = http.path.split('?');
  if (query !== undefined && wouldPass({ ...http, path }))
    return ` The query string decided: a rule's path is compared with everything behind the host, and ${path} without its query would be permitted. Let the path end in \`(\\?.*)?\`.`;
  const host = http.host.replace(/:\d+$/, '');
  if (host !== http.host && wouldPass({ ...http, host }))
    return ` The port in the host decided: the client sent \`${http.host}\`, and \`${host}\` would be permitted. Let the host end in \`(:[0-9]+)?\`.`;
  return '';
}
