import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../src/domain/json.ts';
import { canonicalJson } from '../../src/domain/json.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';

/**
 * sha256 hex over what people and controllers wrote into an object: everything but status and what the server sets in
 * metadata. Two digests are equal exactly when the object "is as it was". An empty map counts as an absent one, since
 * the server does not tell them apart.
 */
export function digestOf(object: KubeObject): string {
  const { apiVersion: _apiVersion, kind: _kind, status: _status, metadata, ...content } = object;
  const { labels, annotations } = metadata;
  return sha256({ ...(content as JsonObject), labels: present(labels), annotations: present(annotations) });
}

/** sha256 hex over the canonical JSON of every write: what people approve. */
export function planHashOf(stages: Plan['stages']): string {
  const writes = stages.flatMap((stage) => stage.writes.map((write) => ({ stage: stage.number, ...write })));
  return sha256(
    writes.map(({ stage, object, uid, generation, before, after }) => ({ stage, object: { ...object }, uid, generation, before, after })),
  );
}

function present(map: Readonly<Record<string, string>> | undefined): JsonObject | undefined {
  return map && Object.keys(map).length > 0 ? map : undefined;
}

function sha256(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
