import type { Value } from '../graph/graph.js';
import type { Layers } from './layers.js';

/** An architecture: appends its layers to a graph. */
export interface Model {
  /** What a person calls it, e.g. `resnet26`. */
  readonly name: string;
  /** Everything needed to build it again, plain JSON; kept in the checkpoint. */
  readonly description: ModelDescription;
  /** Smallest height and width of a picture that passes through, in pixels. */
  readonly minimumSize: number;
  /** Height and width that it was made for, in pixels; the default crop. */
  readonly defaultSize: number;
  /**
   * Appends the network.
   * @param input pictures Nx3xHxW
   * @returns logits NxClasses
   */
  build(layers: Layers, input: Value, classes: number): Value;
}

export interface ModelDescription {
  readonly family: string;
  readonly [option: string]: unknown;
}
