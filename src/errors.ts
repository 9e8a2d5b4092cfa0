/** Exit codes of the command line, the same for every command. */
export const exitCodes = {
  /** The input or the environment was at fault; the message says what to do. */
  failure: 1,
  /** The command line itself was wrong. */
  usage: 2,
  interrupted: 130,
  terminated: 143,
} as const;

/**
 * A fault that the user can mend: bad input, a missing library, a full disk.
 * The command line prints its message and hint without a stack trace.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** What to do about it, in one line. */
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodes.failure;
  }
}

/** A native call failed: says which operation, on which shapes, and what the library said. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}
