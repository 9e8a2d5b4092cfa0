import { exitCodes, UserError } from '../errors.js';

/** What a step's batch is cut into. */
export interface BatchShares {
  readonly batchSize: number;
  /** Replicas of all ranks. */
  readonly replicas?: number;
  /** Micro-batches of each replica. */
  readonly accumulate?: number | undefined;
}

/**
 * Pictures that an engine takes at once.
 * @throws UserError for a batch that does not divide into equal shares
 */
export function microBatchSize({ batchSize, replicas = 1, accumulate = 1 }: BatchShares): number {
  const shares = replicas * accumulate;
  const size = batchSize / shares;
  // what is no number at all is refused with its own message
  if (Number.isInteger(size) || !Number.isInteger(batchSize) || !(accumulate >= 1)) return size;
  const below = Math.floor(size) * shares;
  const choices = below > 0 ? `${below} and ${below + shares} do` : `${shares} does`;
  const parts = [
    ...(replicas > 1 ? [`${replicas} replicas`] : []),
    ...(accumulate > 1 ? [`${accumulate} micro-batches`] : []),
  ].join(' of ');
  throw new UserError(`the batch size of ${batchSize} does not divide into ${parts}`, {
    exitCode: exitCodes.usage,
    hint: `It is the batch of a whole step, all replicas together: ${choices}.`,
  });
}
