import type { EvaluateOptions, EvaluateResult } from './evaluation.js';
import { openValidation } from './open-validation.js';
import { World } from './world.js';

/**
 * Measures a trained network on a dataset's validation pictures, with the normalisation, the crop and the
 * classes of its checkpoint. Ranks that an MPI launcher has started share the pictures; each gives what all of them saw.
 * @throws UserError when there is no checkpoint, or the dataset has other classes
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  return World.among(async (world) => {
    const validation = await openValidation(options, world);
    const { engine, batches } = validation;
    engine.onProgress = ({ batches: done }) => validation.report(done);
    try {
      return await validation.finish(await engine.call('validate', { batches }));
    } finally {
      await validation.close();
    }
  });
}
