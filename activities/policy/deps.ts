import type { AuditLog } from '../../src/ports.ts';
import type { VerbDeps } from '../watch/verb-steps.ts';
import type { WriteDeps } from '../writes/apply.ts';

/** What planning a policy needs. */
export interface PlanDeps extends WriteDeps, Pick<VerbDeps, 'flows' | 'rings'> {
  readonly audit: Pick<AuditLog, 'holds' | 'lastCompleted' | 'planned'>;
}
