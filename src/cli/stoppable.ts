import { UserError } from '../errors.js';
import { ProgressLine } from '../report/progress-line.js';
import { interruption } from './interruption.js';

/** What is said when Ctrl-C or SIGTERM has ended the work. */
interface Words {
  readonly message: string;
  readonly hint?: string;
}

/**
 * Does work that Ctrl-C and SIGTERM stop, with a line of progress that is gone when it ends.
 * @throws UserError with the signal's exit code when one came; else what `work` throws
 */
export async function stoppable(
  work: (signal: AbortSignal, line: ProgressLine) => Promise<void>,
  { message, ...words }: Words = { message: 'interrupted' },
): Promise<void> {
  const line = new ProgressLine();
  const stopping = interruption(() => line.print('stopping ...'));
  try {
    await work(stopping.signal, line);
  } catch (error) {
    const { exitCode } = stopping;
    throw exitCode === undefined ? error : new UserError(message, { ...words, exitCode, cause: error });
  } finally {
    line.clear();
    stopping.release();
  }
}
