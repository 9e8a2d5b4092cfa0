import type { EpochResult } from '../../train/checkpoint.js';

/** A run as it is drawn. */
export interface Curves {
  readonly name: string;
  /** Architecture. */
  readonly model: string;
  readonly history: readonly EpochResult[];
}

type Quantity = keyof Omit<EpochResult, 'epoch' | 'gradientNorm'>;

/** A chart of the curves: what is measured in training, and beside it in validation. */
export interface CurvesPanel {
  readonly title: string;
  readonly training: Quantity;
  readonly validation?: Quantity;
  /** Of a number on the vertical axis. */
  readonly unit: string;
}

/** The charts of a training, in their order. */
export const panels: readonly CurvesPanel[] = [
  { title: 'Loss', training: 'loss', validation: 'valLoss', unit: '' },
  { title: 'Accuracy', training: 'trainAccuracy', validation: 'valAccuracy', unit: ' %' },
  { title: 'Learning rate', training: 'learningRate', unit: '' },
];
