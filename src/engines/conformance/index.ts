import { afterAll, beforeAll } from 'vitest';
import type { Engine } from '../engine.js';
import { gradientConformance } from './gradients.js';
import { networkConformance } from './networks.js';
import { operationConformance } from './operations.js';
import { optimizerConformance } from './optimizers.js';
import { precisionConformance } from './precision.js';
import { randomConformance } from './random-shapes.js';
import { replicaConformance } from './replicas.js';

/** The suite that every engine has to pass: operations, optimizers and whole networks against PyTorch's numbers, random shapes. */
export function engineConformance(start: () => Promise<Engine>): void {
  const get = started(start);
  operationConformance(get);
  randomConformance(get);
  optimizerConformance(get);
  gradientConformance(get);
  networkConformance(get);
  replicaConformance(get);
}

/**
 * The same in half precision, for engines that have it: operations against PyTorch's numbers, networks beside fp32.
 * Losses, optimizers and what happens to gradients are fp32 in all, so {@link engineConformance} has run them.
 */
export function halfConformance(start: () => Promise<Engine>, precision: 'bf16' | 'fp16'): void {
  const get = started(start);
  operationConformance(get, precision);
  randomConformance(get, precision);
  precisionConformance(get, precision);
}

function started(start: () => Promise<Engine>): () => Engine {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine?.close());
  return () => {
    if (!engine) throw new Error('the engine did not start');
    return engine;
  };
}
