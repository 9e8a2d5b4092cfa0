import type { Communicator } from '../communicator.js';
import { shareText } from '../share-text.js';
import { NcclCommunicator } from './communicator.js';
import { idBytes, loadNccl, type Nccl, ncclSuccess } from './library.js';
import { createNcclTable, NcclSlot, type NcclTable } from './table.js';

/** A GPU whose library LibTorch has loaded. */
export interface Gpu {
  /** Another one for every GPU in the world. */
  readonly identity: string;
  /** Files that may be NCCL, the likeliest first; none where NCCL does not serve its kind. */
  readonly nccl: readonly string[];
  /** Makes it the one that libraries take which are called from this thread. */
  makeCurrent(): void;
}

export interface JoinOptions {
  /** All replicas, by way of the host. */
  readonly host: Communicator;
  /** Absent where this replica is on none. */
  readonly gpu: Gpu | undefined;
  /** This replica's place among those of its process; not needed where it is the only one. */
  readonly table?: NcclTable | undefined;
  readonly replica?: number;
  readonly load?: (paths: readonly string[]) => Nccl;
  /** Told by the first member which way the gradients go, where there are GPUs at all. */
  readonly say: (text: string) => void;
}

/**
 * Adds NCCL to a communicator where every member is on a GPU of its own and has NCCL; otherwise it stays as it is.
 * Every member calls it.
 */
export function joinGpus(options: JoinOptions): Communicator {
  const { host, gpu, table = createNcclTable(1), replica = 0, load = loadNccl, say } = options;
  const identities = new Float64Array(host.size);
  identities[host.rank] = gpu ? fingerprint(gpu.identity) : 0;
  host.allReduce(identities);
  if (identities.every((identity) => identity === 0)) return host;
  const tells = host.rank === 0 ? say : () => {};
  const { nccl, reason } = tryTo(load, gpu?.nccl ?? []);
  const why = obstacle(identities) ?? shareText(host, reason);
  if (why !== undefined || !gpu || !nccl) {
    tells(`the gradients go by way of the host, not through NCCL: ${why}`);
    return host;
  }
  gpu.makeCurrent();
  const id = shareId(host, nccl);
  const joined = new NcclCommunicator({ nccl, host, slot: new NcclSlot(table, replica), id });
  tells(`the gradients of ${host.size} GPUs are added by NCCL ${nccl.version}`);
  return joined;
}

function tryTo(
  load: (paths: readonly string[]) => Nccl,
  paths: readonly string[],
): { nccl?: Nccl; reason?: string } {
  try {
    return { nccl: load(paths) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** Why these GPUs cannot be one group; the same at every member. */
function obstacle(identities: Float64Array): string | undefined {
  const without = identities.indexOf(0);
  if (without >= 0) return `replica ${without} is not on a GPU`;
  const second = identities.findIndex((identity, index) => identities.indexOf(identity) < index);
  if (second < 0) return undefined;
  return `replicas ${identities.indexOf(identities[second] as number)} and ${second} share a GPU`;
}

function shareId(host: Communicator, nccl: Nccl): Uint8Array {
  const id = new Uint8Array(idBytes);
  if (host.rank === 0) {
    const code = nccl.uniqueId(id);
    if (code !== ncclSuccess) throw new Error(`ncclGetUniqueId: ${nccl.describe(code, 0n)}`);
  }
  const numbers = Float64Array.from(id);
  host.broadcast(numbers, 0);
  return Uint8Array.from(numbers);
}

/** 52 bits of a text (FNV-1a), never 0. */
function fingerprint(text: string): number {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return Number(hash >> 12n) || 1;
}
