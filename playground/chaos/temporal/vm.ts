import { fileURLToPath } from 'node:url';
import { type Context, isContext, runInContext } from 'node:vm';
import { TypedSearchAttributes } from '@temporalio/common';
import { bundleWorkflowCode } from '@temporalio/worker';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import type { Workflow } from '@temporalio/worker/lib/workflow/interface.js';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';

/**
 * The product's workflows in the SDK's own VM, one VM for all of them. Paths inside @temporalio/worker are used, which is pinned to one
 * exact version. No limit of time is set for one activation: the thread that would watch it costs ten times what the activation does.
 */
const SILENT = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
let creator: Promise<ReusableVMWorkflowCreator> | undefined;

async function load(): Promise<ReusableVMWorkflowCreator> {
  const workflowsPath = fileURLToPath(new URL('../../../workflows/index.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: SILENT });
  const created = await ReusableVMWorkflowCreator.create(parseWorkflowCode(code), undefined as never, new Set());
  const context: unknown = Reflect.get(created, 'context') ?? Reflect.get(created, '_context');
  if (isContext(context as object)) runInContext('Error.stackTraceLimit = 0', context as Context);
  return created;
}

export interface Beginning {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly runId: string;
  readonly firstRunId: string;
  readonly now: number;
  readonly seed: number;
}

/** Bundled once per process. */
export async function loadWorkflows(): Promise<void> {
  creator ??= load();
  await creator;
}

export async function createWorkflow({ workflowId, workflowType, runId, firstRunId, now, seed }: Beginning): Promise<Workflow> {
  creator ??= load();
  const info = {
    workflowId,
    runId,
    workflowType,
    searchAttributes: {},
    typedSearchAttributes: new TypedSearchAttributes(),
    taskQueue: 'chaos',
    namespace: 'default',
    firstExecutionRunId: firstRunId,
    originalExecutionRunId: runId,
    ...(firstRunId !== runId && { continuedFromExecutionRunId: firstRunId }),
    attempt: 1,
    startTime: new Date(now),
    runStartTime: new Date(now),
    taskTimeoutMs: 10_000,
    historyLength: 3,
    historySize: 0,
    continueAsNewSuggested: false,
    unsafe: { now: Date.now, isReplaying: false, isReplayingHistoryEvents: false, random: Math.random },
  };
  const randomnessSeed = [seed & 255, (seed >> 8) & 255, (seed >> 16) & 255, (seed >> 24) & 255, 7, 7, 7, 7];
  const workflow = await (await creator).createWorkflow({ info, randomnessSeed, now, showStackTraceSources: false } as never);
  // Traces of promises serve a query that nobody asks here, and cost more than all the rest.
  Reflect.get(globalHandlers, 'stopPromiseHook')();
  return workflow;
}
