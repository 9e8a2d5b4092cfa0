import { type PictureSource, readPictureNamed } from '../../../data/read-picture.js';
import type { EpochCheckpoint, Extra, JudgedPicture } from '../extra.js';
import type { SummaryValue } from '../messages.js';
import { type Mistake, mistakesSheet } from './sheet.js';

export interface MistakesOptions {
  /** Of the validation pictures. */
  readonly source: PictureSource;
  /** Names by class id. */
  readonly classes: readonly string[];
  /** Pictures to show. */
  readonly count: number;
}

/** The pictures that a network is surest about and wrong, as one picture for each epoch that is the best so far. */
export class MistakesExtra implements Extra {
  readonly #options: MistakesOptions;
  /** Of the validation that runs, the surest first. */
  #worst: Mistake[] = [];
  /** Of epochs that are not saved yet. */
  readonly #waiting = new Map<number, readonly Mistake[]>();

  constructor(options: MistakesOptions) {
    this.#options = options;
  }

  notePictures(pictures: readonly JudgedPicture[]): void {
    const { source, classes, count } = this.#options;
    const name = (id: number): string => classes[id] ?? String(id);
    const wrong = pictures.flatMap(({ file, label, top: [first] }) =>
      first && first.id !== label
        ? [
            {
              read: () => readPictureNamed(source, file),
              label: name(label),
              said: name(first.id),
              probability: first.probability,
            },
          ]
        : [],
    );
    const all = [...this.#worst, ...wrong];
    this.#worst = all.sort((a, b) => b.probability - a.probability).slice(0, count);
  }

  noteEpoch(epoch: number): void {
    this.#waiting.set(epoch, this.#worst);
    this.#worst = [];
  }

  async values({ epoch, best }: EpochCheckpoint): Promise<readonly SummaryValue[]> {
    const mistakes = this.#waiting.get(epoch) ?? [];
    for (const each of this.#waiting.keys()) if (each <= epoch) this.#waiting.delete(each);
    if (!best || mistakes.length === 0) return [];
    return [{ tag: 'Mistakes', image: await mistakesSheet(mistakes) }];
  }
}
