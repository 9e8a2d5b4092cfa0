import { at, type Expected, type Given, Sums } from './sums.js';

/** Mean over the rows with a label of -sum(target log(softmax)), the target smoothed. */
export function softmaxCrossEntropy({ labelSmoothing }: { labelSmoothing: number }, given: Given): Expected {
  const [x, labels, dy] = [given('x'), given('labels'), given('dy')];
  const [rows = 0, classes = 0] = x.shape;
  const [y, dx] = [new Sums([]), new Sums(x.shape)];
  const labelled = Array.from(labels.data).filter((label) => label >= 0).length;
  for (let row = 0; row < rows; row++) {
    const label = at(labels.data, row);
    if (label < 0) continue;
    const scores = Array.from({ length: classes }, (_, c) => at(x.data, row * classes + c));
    const logOfSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    scores.forEach((score, c) => {
      const target = labelSmoothing / classes + (c === label ? 1 - labelSmoothing : 0);
      y.add(0, (-target * score) / labelled);
      y.add(0, (target * logOfSum) / labelled);
      const probable = (at(dy.data, 0) * Math.exp(score - logOfSum)) / labelled;
      // an error of the exponent is the result's relative error
      dx.add(row * classes + c, probable, Math.abs(probable) * (1 + Math.abs(score) + Math.abs(logOfSum)));
      dx.add(row * classes + c, (-at(dy.data, 0) * target) / labelled);
    });
  }
  return new Map(Object.entries({ y, dx }));
}
