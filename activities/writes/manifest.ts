import type { Json, JsonObject } from '../../src/domain/json.ts';
import { type Fields, TOKEN_ANNOTATION } from '../../src/domain/lifecycle/plan.ts';
import { stepsOf } from '../../src/domain/lifecycle/pointer.ts';

/** The manifest with the token of its maker; `null` = with none. */
export function withToken(manifest: JsonObject, token: string | null): JsonObject {
  if (token === null) return manifest;
  const metadata = objectOf(manifest['metadata']);
  return { ...manifest, metadata: { ...metadata, annotations: { ...objectOf(metadata['annotations']), [TOKEN_ANNOTATION]: token } } };
}

/** The manifest with these fields written into it: what the object is once its stages have come. Only members of objects are reached. */
export function withFields(manifest: JsonObject, fields: Fields): JsonObject {
  return Object.entries(fields).reduce((object, [pointer, value]) => put(object, stepsOf(pointer), value), manifest);
}

function put(object: JsonObject, [step, ...rest]: readonly string[], value: Json): JsonObject {
  if (step === undefined) return object;
  if (rest.length > 0) return { ...object, [step]: put(objectOf(object[step]), rest, value) };
  const others = Object.fromEntries(Object.entries(object).filter(([key]) => key !== step));
  return value === null ? others : { ...others, [step]: value };
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
