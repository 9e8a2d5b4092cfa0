import type { EpochCheckpoint, Extra } from '../extra.js';
import type { SummaryValue } from '../messages.js';
import { histogramsOf } from './histograms.js';

type Values = readonly SummaryValue[];

/** Histograms of the weights in a checkpoint, and of the gradients of the last batch before it. */
export class HistogramsExtra implements Extra {
  readonly #gradients: () => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Of epochs that are not saved yet. */
  readonly #waiting = new Map<number, Promise<Values>>();

  /** @param gradients reads them as a .safetensors file, as they are when it is called */
  constructor(gradients: () => Promise<Uint8Array<ArrayBuffer> | undefined>) {
    this.#gradients = gradients;
  }

  noteEpoch(epoch: number): void {
    const counted = this.#gradients().then((file) =>
      file ? histogramsOf({ file, group: 'gradients' }) : [],
    );
    // whoever asks for them hears of it
    counted.catch(() => {});
    this.#waiting.set(epoch, counted);
  }

  async values({ path, epoch }: EpochCheckpoint): Promise<Values> {
    const gradients = this.#waiting.get(epoch) ?? [];
    for (const each of this.#waiting.keys()) if (each <= epoch) this.#waiting.delete(each);
    return [...(await histogramsOf({ file: path, group: 'weights' })), ...(await gradients)];
  }
}
