import type { EvaluateOptions, EvaluateResult } from './evaluation.js';
import { openValidation } from './open-validation.js';

/**
 * Measures a trained network on a dataset's validation pictures, with the normalisation, the crop and the
 * classes of its checkpoint.
 * @throws UserError when there is no checkpoint, or the dataset has other classes
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const validation = await openValidation(options);
  const { engine, batches } = validation;
  engine.onProgress = ({ batches: done }) => validation.report(done);
  try {
    const span = await engine.call('validate', { batches });
    validation.check(span);
    return validation.result(span.sums);
  } finally {
    await validation.close();
  }
}
