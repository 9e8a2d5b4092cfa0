/** A part of a batch that the engine takes at once. */
export interface MicroBatch {
  readonly images: Float32Array;
  /** -1 where a picture has no say. */
  readonly labels: Int32Array;
  /** Its share of the batch's labelled pictures: the batch's mean is the sum of the parts' means times these. */
  readonly share: number;
}

export interface Batch {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  /** Labelled pictures of the whole step, over all replicas; by default those of this batch. */
  readonly labelled?: number;
}

/**
 * Cuts a batch into equal parts that lie one behind the other. Parts without a labelled picture teach nothing and are
 * left out, unless `all` are wanted: replicas meet in each.
 * @param batch.labelled pictures with a label in the whole batch, of which this may be a replica's part
 */
export function microBatches(
  { images, labels, labelled = countLabelled(labels) }: Batch,
  { parts, all = false }: { parts: number; all?: boolean },
): MicroBatch[] {
  const rows = labels.length / parts;
  const floats = images.length / parts;
  return Array.from({ length: parts }, (_, part) => {
    const own = labels.subarray(part * rows, (part + 1) * rows);
    return {
      images: images.subarray(part * floats, (part + 1) * floats),
      labels: own,
      share: countLabelled(own) / labelled,
    };
  }).filter(({ share }) => all || share > 0);
}

/** Pictures with a label. */
export function countLabelled(labels: Int32Array): number {
  return labels.reduce((count, label) => count + (label < 0 ? 0 : 1), 0);
}
