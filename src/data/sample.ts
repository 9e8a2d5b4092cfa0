/** A picture with its class. */
export interface Sample {
  /**
   * Path of the JPEG below the dataset's folder, '/' between parts, e.g. `train/0a3f.jpg`; in a dataset of
   * shards, the tar and the name in it: `train-000007.tar/0a3f.jpg`. `readPicture` reads either.
   */
  readonly file: string;
  /** Class id, 0 <= label < number of classes. */
  readonly label: number;
  /** Where the JPEG lies in the tar; undefined for a file of its own. */
  readonly place?: ShardPlace;
}

/** Where a picture lies in a shard. */
export interface ShardPlace {
  /** Number of the shard within its split. */
  readonly shard: number;
  readonly offset: number;
  /** Bytes of the JPEG. */
  readonly length: number;
}
