import type { EpochOrder, ShardGroup } from './epoch-order.js';
import type { SamplePlaces } from './sample-table.js';
import type { ShardFiles } from './shard-files.js';

/** Positions after which a thread reads the next part ahead: 1 MB of pictures of 32 kB. */
const stride = 32;
const chunkBytes = 1 << 20;

/**
 * Reads the next group of shards from front to end into the system's cache, while the samples of this one are
 * taken from it in random order: a disk that seeks slowly then reads one long row. At each position as large a
 * part is read as the position is of the group. What is read is given to nobody, so it changes no result.
 */
export class ReadAhead {
  readonly #files: ShardFiles;
  readonly #ends: Float64Array;
  readonly #buffer = Buffer.allocUnsafeSlow(chunkBytes);

  constructor(files: ShardFiles, places: SamplePlaces) {
    this.#files = files;
    this.#ends = endsOf(places);
  }

  /** To be called once for each position of an epoch, by whoever takes it. */
  reach(order: EpochOrder, position: number): void {
    const at = order.groups.findIndex(({ end }) => position < end);
    const group = order.groups[at];
    if (!group) return;
    // nobody read the first group ahead
    if (position === 0) this.#read(group, 0, 1);
    const next = order.groups[at + 1];
    const within = position - group.first;
    if (!next || within % stride !== 0) return;
    const length = group.end - group.first;
    this.#read(next, within / length, Math.min(1, (within + stride) / length));
  }

  /** Reads a part of a group, from one share of its bytes to another. */
  #read({ shards }: ShardGroup, from: number, to: number): void {
    const bytes = shards.reduce((sum, shard) => sum + (this.#ends[shard] as number), 0);
    let [at, left] = [Math.floor(from * bytes), Math.floor(to * bytes) - Math.floor(from * bytes)];
    for (const shard of shards) {
      const end = this.#ends[shard] as number;
      for (; at < end && left > 0; ) {
        const length = Math.min(chunkBytes, left, end - at);
        try {
          if (this.#files.read(shard, this.#buffer, length, at) < length) return;
        } catch {
          // whoever needs a picture of it will say what is wrong
          return;
        }
        at += length;
        left -= length;
      }
      at -= end;
    }
  }
}

/** Where the last picture of each shard ends. */
function endsOf({ starts, offsets, lengths }: SamplePlaces): Float64Array {
  return Float64Array.from(starts.subarray(1), (next, shard) =>
    next === starts[shard] ? 0 : (offsets[next - 1] as number) + (lengths[next - 1] as number),
  );
}
