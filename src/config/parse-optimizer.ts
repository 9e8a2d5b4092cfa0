import { exitCodes, UserError } from '../errors.js';
import type { OptimizerSpec } from '../train/optimizers/index.js';

/**
 * Reads an optimizer as people type it: `adam`, `sgd,nesterov=false`, `adam,beta1=0.8,weightDecay=0`.
 * @throws UserError for what is no `option=value`
 */
export function parseOptimizer(text: string): OptimizerSpec {
  const [kind = '', ...parts] = text.split(',').map((part) => part.trim());
  const settings = parts.map((part) => {
    const [, name, value] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (name !== undefined && value !== undefined) return [name, valueOfText(value)] as const;
    throw new UserError(`optimizer '${text}': '${part}' is not option=value`, {
      exitCode: exitCodes.usage,
      hint: 'for example adam,beta1=0.8 or sgd,nesterov=false',
    });
  });
  return { kind, ...Object.fromEntries(settings) };
}

function valueOfText(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}
