/** What the processes of the fleet bench say to each other. */
export interface AgentsOrder {
  readonly nodes: number;
  readonly targets: number;
  /** Over all targets. */
  readonly requestsPerSecond: number;
}

export type AgentsWord =
  | { readonly word: 'ready'; readonly nodes: readonly { readonly node: string; readonly address: string }[] }
  | { readonly word: 'broken'; readonly target: number; readonly at: number }
  | { readonly word: 'streams'; readonly most: number; readonly open: number; readonly ever: number };

export interface WorkerOrder {
  readonly nodes: readonly { readonly node: string; readonly address: string }[];
  readonly targets: number;
}

export type WorkerWord =
  | { readonly word: 'watching'; readonly ms: number }
  | { readonly word: 'undone'; readonly target: number; readonly at: number; readonly requests: number }
  /** `why`: of a blind one. */
  | { readonly word: 'ended'; readonly target: number; readonly kind: string; readonly why: string }
  | {
      readonly word: 'usage';
      readonly rssMiB: number;
      readonly heapMiB: number;
      readonly cpuMs: number;
      readonly heard: number;
      readonly awayMs: number;
    };
