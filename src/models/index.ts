import { UserError } from '../errors.js';
import { didYouMean } from '../read-options.js';
import { alexnet } from './alexnet.js';
import type { Family, RawOptions } from './family.js';
import type { Model, ModelDescription } from './model.js';
import { type ResNetBlock, type ResNetOptions, resnet } from './resnet.js';
import { type CifarBlock, type CifarResNetOptions, cifarResNet } from './resnet-cifar.js';
import type { Stages } from './stages.js';
import { vgg13 } from './vgg13.js';
import { zfnet } from './zfnet.js';

const families: readonly Family[] = [resnet, cifarResNet, alexnet, zfnet, vgg13];

/** What is trained when nobody says otherwise. */
export const defaultModel = 'resnet26';

/** A model by its name; what the name leaves open may be given beside it. */
interface NamedModelSpec {
  readonly name: string;
  readonly stages?: Stages | undefined;
  readonly block?: ResNetBlock | CifarBlock | undefined;
}

/** Says which model: a name, a family with its options, or the description of a model made before. */
export type ModelSpec =
  | NamedModelSpec
  | ({ readonly family: 'resnet' } & ResNetOptions)
  | ({ readonly family: 'resnet-cifar' } & CifarResNetOptions)
  | ModelDescription;

/**
 * Makes a model, e.g. `createModel({ name: 'resnet26' })` or
 * `createModel({ family: 'resnet', stages: [[128, 2], [256, 2]] })`.
 * A model's `description`, and `{ name }` with its `name`, make it again.
 * @throws UserError for an unknown name (with the nearest known) and for options that do not fit
 */
export function createModel(spec: ModelSpec): Model {
  const { family, options } = 'family' in spec ? byFamily(spec) : byName(spec);
  return family.create(options);
}

/** Names that {@link createModel} knows; `cifar-resnet` takes other depths, `resnet` other stages, too. */
export function modelNames(): string[] {
  return families.flatMap(({ names }) => names);
}

/** @throws UserError when pictures of `size` x `size` pixels are too small for the model */
export function checkPictureSize(model: Model, size: number): void {
  if (size >= model.minimumSize) return;
  throw new UserError(`pictures of ${size} px are too small for ${model.name}`, {
    hint: `use a crop of at least ${model.minimumSize}; it was made for ${model.defaultSize}`,
  });
}

function byFamily({ family: name, ...options }: Exclude<ModelSpec, NamedModelSpec>): Choice {
  const family = families.find((each) => each.family === name);
  if (family) return { family, options };
  const known = families.map((each) => each.family);
  throw new UserError(`there is no model family '${name}'`, {
    hint: `${didYouMean(name, known)}known families: ${known.join(', ')}`,
  });
}

function byName({ name, ...given }: NamedModelSpec): Choice {
  for (const family of families) {
    const said = family.resolve(name);
    if (said) return { family, options: combine(name, said, given) };
  }
  const known = modelNames();
  throw new UserError(`there is no model '${name}'`, {
    hint: `${didYouMean(name, known)}known models: ${known.join(', ')}; or resnet with --stages`,
  });
}

interface Choice {
  readonly family: Family;
  readonly options: RawOptions;
}

function combine(name: string, said: RawOptions, given: RawOptions): RawOptions {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [option, value] of stated) {
    if (option in said && JSON.stringify(said[option]) !== JSON.stringify(value)) {
      throw new UserError(`model '${name}' has its own ${option}, and other ${option} are given beside it`, {
        hint: option === 'stages' ? 'use the model resnet with --stages' : `leave out one of the two`,
      });
    }
  }
  return { ...said, ...Object.fromEntries(stated) };
}
