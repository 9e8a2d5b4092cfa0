import { pino } from 'pino';
import type { LogRecord } from './log-record.js';
import type { LogSettings } from './log-settings.js';

/** Makes lines of records, each with the time and a line break; undefined for what is below the level. */
export type LineFormat = (record: LogRecord) => string | undefined;

/** The form that was asked for. */
export function lineFormat({ level = 'info', format = 'text' }: LogSettings = {}): LineFormat {
  let line: string | undefined;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (text) => {
        line = text;
      },
    },
  );
  if (format === 'text') {
    return ({ level: each, text }) =>
      logger.isLevelEnabled(each)
        ? `${new Date().toISOString()} ${text.replaceAll(/[\r\n]+/g, ' ')}\n`
        : undefined;
  }
  return ({ level: each, event, text, fields }) => {
    line = undefined;
    logger[each]({ event, ...fields }, text);
    return line;
  };
}
