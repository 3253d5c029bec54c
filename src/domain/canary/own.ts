import type { Fields } from '../lifecycle/plan.ts';

/** The managed fields that are the receiving Service's own: its weights, and a list of rules into which a rule of ours was put. */
export function ownFields(fields: Fields, receiver: string): readonly string[] {
  return Object.keys(fields).filter((field) => {
    if (field === '/spec/rules') return true;
    return field.endsWith('/weight') && fields[field.replace(/weight$/, 'name')] === receiver;
  });
}
