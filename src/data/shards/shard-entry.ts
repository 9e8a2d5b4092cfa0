/** A JPEG within a shard. */
export interface ShardEntry {
  /** Name in the tar. */
  readonly name: string;
  /** Where its bytes begin. */
  readonly offset: number;
  readonly length: number;
}
