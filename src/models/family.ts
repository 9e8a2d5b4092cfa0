import type { Model } from './model.js';

/** Options of a model as they come from a configuration or a checkpoint, not yet checked. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** A kind of architecture: one file of this folder and one line of registry in index.ts. */
export interface Family {
  readonly family: string;
  /** Names to show to a person who looks for one. */
  readonly names: readonly string[];
  /** What `name` says of the options; undefined where it is no name of this family. */
  resolve(name: string): RawOptions | undefined;
  /** @throws UserError when an option is unknown, missing or out of range */
  create(options: RawOptions): Model;
}
