import { exitCodes, UserError } from '../errors.js';
import { physicalCores } from '../system/cpu.js';

/** Threads of each of several replicas that share them, at least one. */
export function threadsOfEach(replicas: number, threads: number = physicalCores()): number[] {
  return Array.from({ length: replicas }, (_, index) => {
    const rest = index < threads % replicas ? 1 : 0;
    return Math.max(1, Math.floor(threads / replicas) + rest);
  });
}

/** @throws UserError for a batch that cannot be shared out equally */
export function checkBatchShares(batchSize: number, members: number): void {
  if (batchSize % members === 0) return;
  const below = Math.floor(batchSize / members) * members;
  const choices = (below > 0 ? [below, below + members] : [members]).join(' and ');
  throw new UserError(`the batch size of ${batchSize} is not divisible by the ${members} replicas`, {
    exitCode: exitCodes.usage,
    hint: `It is the batch of all replicas together: ${choices} ${below > 0 ? 'are' : 'is'}.`,
  });
}
