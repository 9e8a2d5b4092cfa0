import { z } from 'zod';

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** How much is logged: lines of this level and above; `silent` writes none. */
export type LogLevel = (typeof levels)[number];

/** Where a run's log goes, and how. */
export interface LogSettings {
  /** Default: output.log in the run's folder. */
  file?: string | undefined;
  /** Default: info. */
  level?: LogLevel | undefined;
  /** `text`: a time and a sentence; `json`: an object a line. Default: text. */
  format?: 'text' | 'json' | undefined;
}

export const logLevel = z.enum(levels);
export const logFormat = z.enum(['text', 'json']);
