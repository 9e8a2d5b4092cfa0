import { z } from 'zod';

/** The part of JSON schema that settings need. */
interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** What a value may be, in words: `a whole number from 1 to 256`, `xavier or kaiming`. */
export function valueRange(schema: z.ZodType): string {
  return inWords(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as JsonSchema);
}

function inWords(schema: JsonSchema): string {
  if (schema.anyOf) return anyOf(schema.anyOf.map(inWords));
  if (schema.enum) return anyOf(schema.enum.map(String));
  if (schema.const !== undefined) return String(schema.const);
  switch (schema.type) {
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    case 'array':
      return 'a list';
    default:
      return 'an object';
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  // what only says that a number fits into 53 bits is no range
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined && exclusiveMaximum !== undefined) return ` from ${low} to below ${exclusiveMaximum}`;
  if (low !== undefined) return ` of at least ${low}`;
  if (exclusiveMinimum === undefined) return high === undefined ? '' : ` of at most ${high}`;
  if (exclusiveMaximum !== undefined) return ` above ${exclusiveMinimum} and below ${exclusiveMaximum}`;
  return ` above ${exclusiveMinimum}${high === undefined ? '' : ` and at most ${high}`}`;
}

function anyOf(words: readonly string[]): string {
  const different = [...new Set(words)];
  const last = different.pop() ?? '';
  return different.length > 0 ? `${different.join(', ')} or ${last}` : last;
}
