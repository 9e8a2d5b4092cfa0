import type { HParamValue } from './messages.js';

/** Settings that say where and how fast a training runs, not what it learns. */
const beside = new Set([
  'data',
  'workers',
  'cache',
  'cacheSize',
  'threads',
  'engine',
  'devices',
  'checkpointInterval',
  'keepLast',
  'tensorboard',
  'histograms',
  'mistakes',
]);

/** A configuration as a table for the Text page. */
export function settingsTable(config: Readonly<Record<string, unknown>>): string {
  const rows = flatten(config).map(([key, value]) => `| ${key} | ${code(say(value))} |`);
  return ['| setting | value |', '| --- | --- |', ...rows].join('\n');
}

/** What the HParams page compares runs by. */
export function hyperParameters(
  model: string,
  config: Readonly<Record<string, unknown>>,
): Record<string, HParamValue> {
  const { model: _, ...rest } = config;
  const compared = Object.entries(rest).filter(([key]) => !beside.has(key));
  const values = flatten(Object.fromEntries(compared)).map(([key, value]) => [key, hparamValue(value)]);
  return { model: { stringValue: model }, ...Object.fromEntries(values) };
}

/** `{ a: { b: 1 } }` as `a.b` and 1; lists stay whole. */
function flatten(config: Readonly<Record<string, unknown>>, path = ''): Array<[key: string, value: unknown]> {
  return Object.entries(config).flatMap(([key, value]) => {
    const name = path + key;
    return isRecord(value) ? flatten(value, `${name}.`) : value === undefined ? [] : [[name, value]];
  });
}

function hparamValue(value: unknown): HParamValue {
  if (typeof value === 'number' && Number.isFinite(value)) return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return { stringValue: say(value) };
}

function say(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}

/** Markdown that shows `text` as it is, in one cell of a table. */
function code(text: string): string {
  const shown = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
