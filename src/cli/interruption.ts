import { exitCodes } from '../errors.js';

/** Ctrl-C and SIGTERM turned into an abort signal. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Exit code that the signal which came asks for; undefined when none came. */
  readonly exitCode: number | undefined;
  /** Gives the signals back to the system's own handling. */
  release(): void;
}

/**
 * Listens for Ctrl-C and SIGTERM: the first one aborts, the second one ends the process at once.
 * @param onStop called at the first one
 */
export function interruption(onStop: () => void): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const handler = (code: number) => (): void => {
    if (exitCode !== undefined) process.exit(code);
    exitCode = code;
    onStop();
    controller.abort();
  };
  const interrupted = handler(exitCodes.interrupted);
  const terminated = handler(exitCodes.terminated);
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', terminated);
  // mpirun ends its ranks on the other two, but hands this one on; so does srun --signal=USR2
  process.on('SIGUSR2', terminated);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release() {
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', terminated);
      process.off('SIGUSR2', terminated);
    },
  };
}
