import { afterAll, beforeAll } from 'vitest';
import { networkConformance } from '../conformance/networks.js';
import { operationConformance } from '../conformance/operations.js';
import { optimizerConformance } from '../conformance/optimizers.js';
import type { Engine } from '../engine.js';
import { engines } from '../registry.js';

let engine: Engine | undefined;

beforeAll(async () => {
  // one thread, since tests run beside one another
  engine = await engines.onednn({ threads: 1 });
});

afterAll(() => engine?.close());

function get(): Engine {
  if (!engine) throw new Error('the engine did not start');
  return engine;
}

operationConformance(get);
optimizerConformance(get);
networkConformance(get);
