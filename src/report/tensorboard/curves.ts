import type { EpochResult } from '../../train/checkpoint.js';
import type { BoardEvent, SummaryValue } from './messages.js';
import { scalar } from './summaries.js';

/** One of TensorBoard's runs and what it shows of an epoch. */
export interface Curve {
  /** Folder below that of the training, or '' for that itself. */
  readonly folder: string;
  /** Nothing where the epoch had nothing to measure. */
  values(result: EpochResult): SummaryValue[];
}

/**
 * The curves of a training. Curves that share a picture are runs of their own with the same tag, as PyTorch's
 * `add_scalars` lays them out: `Loss_train` and `Loss_val` show the tag Loss.
 * @param images training and validation pictures of one epoch
 */
export function curvesOf(options: { images: number }): Curve[] {
  const { images } = options;
  return [
    {
      folder: '',
      values: (result) => [
        ...point('Learning Rate', result.learningRate),
        ...point('Pictures per Second', result.seconds > 0 ? images / result.seconds : null),
        ...point('Top-5', result.valTop5),
        ...point('Gradient Norm', result.gradientNorm ?? null),
      ],
    },
    { folder: 'Loss_train', values: ({ loss }) => point('Loss', loss) },
    { folder: 'Loss_val', values: ({ valLoss }) => point('Loss', valLoss) },
    { folder: 'Accuracy_train', values: ({ trainAccuracy }) => point('Accuracy', trainAccuracy) },
    { folder: 'Accuracy_val', values: ({ valAccuracy }) => point('Accuracy', valAccuracy) },
  ];
}

function point(tag: string, value: number | null): SummaryValue[] {
  return value === null ? [] : [scalar(tag, value)];
}

/** The events of a curve: one an epoch, with the time at which it ended. */
export function curveEvents(
  curve: Curve,
  history: readonly EpochResult[],
  endOf: (epoch: number) => number,
): BoardEvent[] {
  return history.flatMap((result) => {
    const value = curve.values(result);
    return value.length > 0
      ? [{ wallTime: endOf(result.epoch), step: result.epoch, summary: { value } }]
      : [];
  });
}
