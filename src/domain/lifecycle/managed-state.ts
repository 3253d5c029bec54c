import * as z from 'zod';
import { canonicalJson, type Json, type JsonObject } from '../json.ts';

const Labelled = z.looseObject({
  metadata: z.looseObject({
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
});

/**
 * One text for what people and controllers wrote into an object: spec (and whatever else it has beside status), labels, annotations.
 * Left out: status and what the server sets in metadata. An empty map is an absent one, since the server does not tell them apart.
 * `kubectl.kubernetes.io/last-applied-configuration` stays in: kubectl writes it, not the server, we never do, and if it changed then
 * somebody applied something meanwhile and "exactly as it was" would be untrue. Throws on what is no Kubernetes object.
 */
export function managedState(object: unknown): string {
  const { apiVersion: _apiVersion, kind: _kind, status: _status, metadata, ...content } = Labelled.parse(object);
  return canonicalJson({ ...(content as JsonObject), labels: present(metadata.labels), annotations: present(metadata.annotations) });
}

function present(map: Readonly<Record<string, string>> | null | undefined): Json | undefined {
  return map && Object.keys(map).length > 0 ? map : undefined;
}
