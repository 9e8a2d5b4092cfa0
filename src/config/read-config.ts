import { exitCodes, UserError } from '../errors.js';
import { readOptions } from '../read-options.js';
import type { Config } from './config.js';
import { configSchema, isSection, sections, settingRange } from './schema.js';

/**
 * Checks a configuration.
 * @param owner where it comes from, for messages: `resnode.config.ts`
 * @throws UserError naming the key at fault, with the nearest known one or the range
 */
export function readConfig(owner: string, given: unknown): Config {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UserError(`${owner} holds no configuration`, {
      exitCode: exitCodes.usage,
      hint: 'It is an object of settings: { "project": "birds", "data": "data" }.',
    });
  }
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || !isSection(key)) continue;
    const { shape } = sections[key];
    readOptions(`${owner}: ${key}`, sections[key], value, (option) => settingRange(shape, option));
  }
  const checked = readOptions(owner, configSchema, given, (option) =>
    settingRange(configSchema.shape, option),
  );
  return checked as Config;
}
