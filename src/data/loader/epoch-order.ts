import { permutation } from '../../random/permutation.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';

/** Shards whose samples are mixed with each other. */
export interface ShardGroup {
  /** Positions in the epoch, from `first` to before `end`. */
  readonly first: number;
  readonly end: number;
  readonly shards: readonly number[];
}

/** In which order an epoch takes the samples. */
export interface EpochOrder {
  /** Sample at each position. */
  readonly samples: Int32Array;
  /** In the order of their positions; none when all samples are mixed with all. */
  readonly groups: readonly ShardGroup[];
}

/**
 * The order of (seed, epoch) for shards: they are permuted, then put into groups of at least `buffer` samples,
 * and the samples of each group are permuted. Nothing else plays a part, so it is the same for any number of
 * threads, and known from any position on.
 * @param starts first sample of each shard, and the number of all
 */
export function groupedOrder(
  starts: Int32Array,
  options: { seed: number; epoch: number; buffer: number },
): EpochOrder {
  const { seed, epoch, buffer } = options;
  const samples = new Int32Array(starts.at(-1) ?? 0);
  const random = new RandomStream(seed, randomPurpose.permutation);
  const groups: ShardGroup[] = [];
  let [first, end] = [0, 0];
  let shards: number[] = [];
  const close = (): void => {
    groups.push({ first, end, shards });
    // the place (epoch, 0) is that of the shards' own order
    random.seek(epoch, groups.length);
    shuffle(samples.subarray(first, end), random);
    first = end;
    shards = [];
  };
  for (const shard of permutation(starts.length - 1, seed, epoch)) {
    shards.push(shard);
    for (let sample = starts[shard] as number; sample < (starts[shard + 1] as number); sample++) {
      samples[end++] = sample;
    }
    if (end - first >= buffer) close();
  }
  if (shards.length > 0) close();
  return { samples, groups };
}

function shuffle(part: Int32Array, random: RandomStream): void {
  for (let i = part.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = part[i] as number;
    part[i] = part[j] as number;
    part[j] = kept;
  }
}
