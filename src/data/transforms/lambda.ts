import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../errors.js';
import type { RandomStream } from '../../random/random-stream.js';
import { didYouMean } from '../../read-options.js';
import { defineTransform } from './transform.js';

/** What a function of `Lambda` may change: 8-bit RGB, three bytes a pixel, row after row. */
export interface LambdaPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * A function for `Lambda`: changes the pixels in place. All chance has to come from `random`, which gives numbers
 * in [0, 1), the same ones at each run.
 */
export type LambdaFunction = (picture: LambdaPicture, random: () => number) => void;

/**
 * A function of your own. `module` is a JavaScript or TypeScript file, relative to the folder of the configuration
 * (else to the one that the command runs in); `export` is the function's name there. Each loader thread loads the
 * file by itself. A run keeps the file's path, not the file.
 * @example Lambda({ module: './my-transforms.ts', export: 'invert' })
 */
export const Lambda = defineTransform({
  name: 'Lambda',
  options: { module: z.string().min(1), export: z.string().min(1).default('default') },
  p: 1,
  compile: ({ module, export: name }) => {
    const change = load(module, name);
    let view: LambdaPicture = { pixels: new Uint8Array(), width: 0, height: 0 };
    let current: RandomStream | undefined;
    const draw = (): number => (current as RandomStream).uniform();
    return (picture, random) => {
      current = random;
      picture.compact();
      const { pixels, width, height } = picture;
      const same = view.pixels.buffer === pixels.buffer && view.pixels.byteOffset === pixels.byteOffset;
      if (!same || view.width !== width || view.height !== height) {
        view = {
          pixels: new Uint8Array(pixels.buffer, pixels.byteOffset, width * height * 3),
          width,
          height,
        };
      }
      let result: unknown;
      try {
        result = change(view, draw);
      } catch (error) {
        throw failure(module, name, `failed: ${messageOf(error)}`, error);
      }
      if (result instanceof Promise) {
        result.catch(() => {});
        throw failure(module, name, 'is asynchronous; it has to be done when it returns');
      }
    };
  },
});

function load(module: string, name: string): LambdaFunction {
  const found = loadModule(module, name);
  const value = found[name];
  if (typeof value === 'function') return value as LambdaFunction;
  const known = Object.keys(found).filter((key) => typeof found[key] === 'function');
  throw new UserError(`transform Lambda: ${module} exports no function '${name}'`, {
    hint: known.length
      ? `${didYouMean(name, known)}functions that it exports: ${known.join(', ')}`
      : 'It exports no function at all.',
  });
}

function loadModule(module: string, name: string): Record<string, unknown> {
  const require = createRequire(import.meta.url);
  const path = resolve(module);
  try {
    // loaded here, since hardly any pipeline needs it
    const { createJiti } = require('jiti') as typeof import('jiti');
    return createJiti(import.meta.url)(path) as Record<string, unknown>;
  } catch (error) {
    // a path without its extension may stand for a file that has a fault of its own
    const gone = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' && !existsSync(path);
    if (!gone) {
      throw new UserError(`transform Lambda: cannot load ${path} (for '${name}'): ${messageOf(error)}`, {
        cause: error,
      });
    }
    throw new UserError(`transform Lambda: there is no file ${path} (for '${name}')`, {
      hint: 'A run keeps the path of the file only. Put it back there, or name its new place in a configuration: --config FILE.',
      cause: error,
    });
  }
}

function failure(module: string, name: string, what: string, cause?: unknown): UserError {
  return new UserError(`transform Lambda: the function '${name}' of ${module} ${what}`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
