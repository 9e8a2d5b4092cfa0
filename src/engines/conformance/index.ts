import { afterAll, beforeAll } from 'vitest';
import type { Engine } from '../engine.js';
import { gradientConformance } from './gradients.js';
import { networkConformance } from './networks.js';
import { operationConformance } from './operations.js';
import { optimizerConformance } from './optimizers.js';

/** The suite that every engine has to pass: operations, optimizers and whole networks against PyTorch's numbers. */
export function engineConformance(start: () => Promise<Engine>): void {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine?.close());
  const get = (): Engine => {
    if (!engine) throw new Error('the engine did not start');
    return engine;
  };
  operationConformance(get);
  optimizerConformance(get);
  gradientConformance(get);
  networkConformance(get);
}
