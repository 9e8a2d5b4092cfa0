export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export const logFormats = ['text', 'json'] as const;

/** How much is logged: lines of this level and above; `silent` writes none. */
export type LogLevel = (typeof logLevels)[number];

export type LogFormat = (typeof logFormats)[number];

/** Where a run's log goes, and how. Level and format hold for stderr without a terminal, too. */
export interface LogSettings {
  /** Default: output.log in the run's folder. */
  file?: string | undefined;
  /** Default: info. */
  level?: LogLevel | undefined;
  /** `text`: a time and a sentence; `json`: an object a line. Default: text. */
  format?: LogFormat | undefined;
}
