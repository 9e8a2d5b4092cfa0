import { type Report, ReportBuilder } from '../src/report/report.js';
import type { PicturePrediction } from '../src/train/predictions.js';
import { madeHistory, madeInfo } from './made-run.js';

/** Numbers of 0 to 1 that are the same each time. */
function* numbers(): Generator<number, never> {
  for (let state = 1; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}

/**
 * A report on made-up predictions of groups of alike classes, whose ids are far from each other.
 * @param options.labels one for each class
 * @param options.file of the picture with this number
 */
export function madeReport(options: {
  labels: readonly string[];
  each: number;
  file?: (number: number) => string;
}): Report {
  const { labels, each, file = (number) => `val/${number}.jpg` } = options;
  const classes = labels.length;
  const groups = Math.max(1, Math.round(classes / 8));
  const builder = new ReportBuilder(madeInfo(madeHistory(12), { classes: [...labels] }));
  const random = numbers();
  const pictures = Array.from({ length: classes * each }, (_, number): PicturePrediction => {
    const label = number % classes;
    const [kind, sure] = [random.next().value, random.next().value];
    const away = Math.floor(random.next().value * 8);
    // mostly right, else one of the group, seldom anything
    const alike = (label + groups * (1 + (away % 7))) % classes;
    const anything = Math.floor(random.next().value * classes);
    const predicted = kind < 0.6 ? label : kind < 0.95 ? alike : anything;
    const best = 0.3 + 0.7 * sure;
    const probability = predicted === label ? best : (1 - best) * random.next().value;
    const top = [predicted, label, alike, anything, 0].map((id, at) => ({
      id,
      probability: at === 0 ? best : (1 - best) / 5,
    }));
    return { file: file(number), label, top, probability, loss: -Math.log(probability) };
  });
  builder.add(pictures);
  return builder.finish({
    ...{
      top1: 0,
      top5: 0,
      loss: 1.234567,
      images: pictures.length,
      seconds: 4.2,
      model: 'resnet26',
      classes,
    },
    ...{ checkpoint: 'runs/birds/checkpoints/epoch-0012.safetensors', epoch: 12, data: '/data/birds' },
    rejected: [],
  });
}
