/** Floats in native memory: where they lie and how many they are. */
export interface FloatRange {
  readonly address: bigint;
  readonly length: number;
}

/** Floats in the memory of a GPU. */
export interface DeviceFloats extends FloatRange {
  /** The queue of the GPU's work that makes them and goes on with them; its address, 0 for the default one. */
  readonly stream: bigint;
}

/** What may be exchanged: native floats, or a small array of the host. */
export type Exchanged = FloatRange | Float32Array | Float64Array;

/**
 * Sums that go on while the replicas compute. Begun in the same order by all; nobody touches the numbers before
 * `finish`, and calls between the two may be made as ever.
 */
export interface BackgroundSums {
  /** Begins to put the sum over all members in the place of each member's numbers. */
  begin(data: FloatRange): void;
  /** Moves on what is under way, as far as it goes without waiting; to be called often. */
  progress(): void;
  /** Waits for all that was begun. */
  finish(): void;
}

/**
 * What several replicas of a network need of each other. All calls are collective: every member makes the same calls
 * in the same order, from the thread that runs its engine, and waits there for the others.
 * Sums are taken in the order of the ranks, so that the same members always get the same numbers.
 */
export interface Communicator {
  /** 0 to size - 1. */
  readonly rank: number;
  readonly size: number;
  /** Milliseconds that went into its calls so far, waiting for the others included; where somebody counts them. */
  readonly spentMs?: number;
  /** Puts the sum over all members in the place of each member's numbers. */
  allReduce(data: Exchanged): void;
  /**
   * As `allReduce`, in the GPU's own memory; only enqueues it. Absent where the replicas' GPUs have no way to each
   * other, or there are none: then the numbers are brought to the host.
   */
  allReduceOnDevice?(data: DeviceFloats): void;
  /** Absent where there is nothing to gain: all members are in one process. */
  readonly background?: BackgroundSums | undefined;
  /** Puts the numbers of member `root` in the place of every member's. */
  broadcast(data: Exchanged, root: number): void;
  /** Returns when all members have called it. */
  barrier(): void;
  close(): void;
}

/** Another member has failed, and has said why: this one only leaves with it. */
export class PeerFailure extends Error {
  override readonly name = 'PeerFailure';
}
