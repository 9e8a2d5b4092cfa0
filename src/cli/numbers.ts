import { InvalidArgumentError } from 'commander';

/** A number as people type it, e.g. `0.05` or `1e-4`. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function autoOrNumber(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be auto or a whole number.');
  return Number(text);
}
