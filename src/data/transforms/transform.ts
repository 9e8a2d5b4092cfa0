import { z } from 'zod';
import { exitCodes, UserError } from '../../errors.js';
import type { RandomStream } from '../../random/random-stream.js';
import { readOptions } from '../../read-options.js';
import type { Picture } from './picture.js';

/** One transform of a pipeline as plain data, as it stands in a checkpoint: the registered name and options. */
export interface TransformSpec {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Mean and standard deviation of red, green and blue, on the scale 0 to 255. */
export interface Normalization {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Changes the picture. Draws come from `random` only; throws PictureRejection when it cannot be applied. */
export type Step = (picture: Picture, random: RandomStream) => void;

/** A step with the probability of being applied. */
export interface CompiledTransform {
  readonly p: number;
  /** Applies it always; `applyByChance` throws the dice. */
  readonly apply: Step;
}

/** A transform whose options have been checked. */
export interface PreparedTransform {
  readonly kind: 'transform';
  readonly p: number;
  /** Size that comes out of a picture of size `input`; undefined where it is not known beforehand. */
  outputSize(input: Size | undefined): Size | undefined;
  /** The same when it is applied for certain, whatever its probability. */
  appliedSize(input: Size | undefined): Size | undefined;
  /** Smallest picture that it takes; undefined for any, or when it is not always applied. */
  readonly minimumInput: Size | undefined;
  /** Whether pictures may leave it in another size. */
  readonly changesSize: boolean;
  /** Makes the step and its scratch buffers, in the thread that will run it. */
  compile(): CompiledTransform;
}

/** Normalization whose options have been checked; what is left out comes from the dataset. */
interface PreparedNormalization {
  readonly kind: 'normalization';
  resolve(defaults: Normalization): Normalization;
}

export type Prepared = PreparedTransform | PreparedNormalization;

/** What the registry holds: checks options, given as plain data. */
export interface Transform {
  readonly transformName: string;
  /**
   * @param options as they stand in a spec
   * @param prepareChildren checks transforms within this one
   * @throws UserError naming the transform and the option that is wrong
   */
  prepare(options: unknown, prepareChildren: PrepareChildren): Prepared;
}

type PrepareChildren = (specs: readonly TransformSpec[]) => PreparedTransform[];

type WithProbability<Shape extends z.ZodRawShape> = Shape & { p: z.ZodDefault<z.ZodNumber> };
type OptionsIn<Shape extends z.ZodRawShape> = z.input<z.ZodObject<WithProbability<Shape>>>;
type OptionsOut<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/** What one file of a transform says. */
export interface TransformDefinition<Shape extends z.ZodRawShape> {
  /** Its name in specs: the name of the exported function. */
  readonly name: string;
  /** Schema of each option except `p`. Parsing the result again must give the result. */
  readonly options: Shape;
  /** Probability of being applied when none is given. */
  readonly p: number;
  /** What is wrong with options that each are right but do not fit together. */
  readonly check?: (options: OptionsOut<Shape>) => string | undefined;
  /** Transforms within this one (OneOf and the like). */
  readonly children?: (options: OptionsOut<Shape>) => readonly TransformSpec[];
  /** What is wrong with the transforms within it. */
  readonly checkChildren?: (children: readonly PreparedTransform[]) => string | undefined;
  /** Where pictures change their size: the size afterwards, undefined where it is not known beforehand. */
  readonly outputSize?: (
    options: OptionsOut<Shape>,
    input: Size | undefined,
    children: readonly PreparedTransform[],
  ) => Size | undefined;
  /** Smallest picture that it can be applied to, where there is such a size. */
  readonly minimumInput?: (
    options: OptionsOut<Shape>,
    children: readonly PreparedTransform[],
  ) => Size | undefined;
  /** Makes the step. Scratch buffers and tables are allocated here, once per thread, not in the step. */
  readonly compile: (options: OptionsOut<Shape>, children: readonly CompiledTransform[]) => Step;
}

/** A registered transform, called with its options to get a spec. */
export type TransformFactory<Input> = Transform &
  ((...options: Record<never, never> extends Input ? [options?: Input] : [options: Input]) => TransformSpec);

/** Makes a transform out of its definition. */
export function defineTransform<Shape extends z.ZodRawShape>(
  definition: TransformDefinition<Shape>,
): TransformFactory<OptionsIn<Shape>> {
  const { name } = definition;
  const schema = z.strictObject({
    ...definition.options,
    p: z.number().min(0).max(1).default(definition.p),
  });
  const parse = (given: unknown): OptionsOut<Shape> & { p: number } => {
    const options = readOptions(`transform ${name}`, schema, given) as OptionsOut<Shape> & { p: number };
    refuse(name, definition.check?.(options));
    return options;
  };
  const prepare: Transform['prepare'] = (given, prepareChildren) => {
    const options = parse(given);
    const children = prepareChildren(definition.children?.(options) ?? []);
    refuse(name, definition.checkChildren?.(children));
    const always = options.p === 1;
    const appliedSize = (input: Size | undefined): Size | undefined =>
      definition.outputSize ? definition.outputSize(options, input, children) : input;
    return {
      kind: 'transform',
      p: options.p,
      changesSize: definition.children
        ? children.some((child) => child.changesSize)
        : definition.outputSize !== undefined,
      minimumInput: always ? definition.minimumInput?.(options, children) : undefined,
      appliedSize,
      outputSize: (input) => {
        const output = appliedSize(input);
        return always || sameSize(input, output) ? output : undefined;
      },
      compile: () => ({
        p: options.p,
        apply: definition.compile(
          options,
          children.map((child) => child.compile()),
        ),
      }),
    };
  };
  const factory = (options?: unknown): TransformSpec => ({ name, options: parse(options ?? {}) });
  return Object.assign(factory, { transformName: name, prepare });
}

function refuse(name: string, fault: string | undefined): void {
  if (fault) throw new UserError(`transform ${name}: ${fault}`, { exitCode: exitCodes.usage });
}

/** Applies a transform with its probability. */
export function applyByChance(transform: CompiledTransform, picture: Picture, random: RandomStream): void {
  const { p } = transform;
  if (p >= 1 || (p > 0 && random.uniform() < p)) transform.apply(picture, random);
}

export function sameSize(a: Size | undefined, b: Size | undefined): boolean {
  return a !== undefined && b !== undefined && a.height === b.height && a.width === b.width;
}
