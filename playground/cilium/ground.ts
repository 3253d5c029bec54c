/** What every part of the simulator is started with. */
import { type Delays, draw, type Preset, presets } from './delays.ts';
import type { Starter } from './envoy/process.ts';
import { createRandom, type Random, seedFor } from './random.ts';

/** What the simulator needs of the real stack (playground/cluster). */
export interface CiliumStack {
  readonly dir: string;
  readonly kube: { readonly url: string; readonly caFile: string; token(user: 'simulator'): string };
  readonly prometheus: { scrape(job: string, targets: readonly string[], options?: { readonly metricsPath?: string }): void };
  readonly binaries: { readonly envoy: string };
  readonly warden: Starter;
  readonly ports: { take(purpose: string): Promise<number> };
}

export interface Ground {
  readonly stack: CiliumStack;
  readonly delays: Delays;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Unix milliseconds with fractions. */
  readonly now: () => number;
  /** Randomness of one named part. */
  readonly randomFor: (part: string) => Random;
  /** Draws of one delay, in milliseconds. */
  readonly delayOf: (name: keyof Delays) => () => number;
  /** Told of what went wrong and is tried again. */
  readonly onError: (error: unknown) => void;
  readonly say: (text: string) => void;
  /** Runs when the simulator stops; the last one in runs first. */
  readonly onStop: (end: () => unknown) => void;
}

export interface GroundOptions {
  readonly stack: CiliumStack;
  readonly preset: Preset;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The ground and the function that ends everything started on it; `stop` may be called again. */
export function layGround(options: GroundOptions): { readonly ground: Ground; readonly stop: () => Promise<void> } {
  const { stack, seed, say } = options;
  const delays = presets[options.preset];
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const undo: (() => unknown)[] = [];
  const randomFor = (part: string): Random => createRandom(seedFor(seed, part));
  const ground: Ground = {
    stack,
    delays,
    seed,
    signal,
    now: () => performance.timeOrigin + performance.now(),
    randomFor,
    delayOf: (name) => {
      const random = randomFor(`delay ${name}`);
      return () => draw(delays[name], random);
    },
    onError: (error) => {
      if (!signal.aborted) say(`Trying again: ${error instanceof Error ? error.message : String(error)}`);
    },
    say,
    onStop: (end) => void undo.push(end),
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    for (const end of undo.splice(0).toReversed()) await end();
  };
  return { ground, stop };
}
