import { UserError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { physicalCores } from '../../system/cpu.js';
import {
  type CompileOptions,
  type Engine,
  EngineError,
  type EngineOptions,
  type EngineState,
} from '../engine.js';
import { keepFreedMemory } from './allocator.js';
import { compileGraph } from './compiler.js';
import { CudaDevice } from './cuda.js';
import { parseDevice } from './device.js';
import { bindTorch, type Torch } from './ffi.js';
import { findOrGetTorch } from './library/index.js';
import { TorchProgram } from './program.js';
import { TorchState } from './state.js';
import { Tensors } from './tensors.js';

/** LibTorch through its stable C ABI: the CPU, and the GPUs that PyTorch knows. */
export class TorchEngine implements Engine {
  readonly name = 'torch';
  readonly #tensors: Tensors;
  readonly #programs = new Set<TorchProgram>();
  readonly #states = new Set<TorchState>();

  constructor(
    tensors: Tensors,
    readonly gpu?: CudaDevice | undefined,
  ) {
    this.#tensors = tensors;
  }

  get torch(): Torch {
    return this.#tensors.torch;
  }

  createState(): TorchState {
    const state = new TorchState(this.#tensors);
    this.#states.add(state);
    return state;
  }

  compile(graph: Graph, { state, poison = false, communicator }: CompileOptions): TorchProgram {
    if (!isOurs(state)) throw new EngineError('the state belongs to another engine');
    const compiled = compileGraph(this.#tensors, graph, state, communicator);
    const program = new TorchProgram({ tensors: this.#tensors, state, compiled, poison });
    this.#programs.add(program);
    return program;
  }

  close(): void {
    for (const program of this.#programs) program.close();
    for (const state of this.#states) state.close();
    this.gpu?.close();
  }
}

function isOurs(state: EngineState): state is TorchState {
  return state instanceof TorchState;
}

/** Finds (or gets) LibTorch and starts the engine in the calling thread. */
export async function createTorchEngine(options: EngineOptions): Promise<TorchEngine> {
  const { device: name = 'cpu', threads, onProgress } = options;
  const { folder } = await findOrGetTorch(onProgress ? { onProgress } : {});
  // a GPU has a caching allocator of LibTorch's; the host's numbers on their way to it like this one as well
  keepFreedMemory();
  const torch = bindTorch(folder, name);
  const device = parseDevice(torch, name);
  const gpu = name.startsWith('cuda') ? CudaDevice.open(folder, device.index) : undefined;
  const tensors = new Tensors(torch, device, gpu && (() => gpu.currentStream()));
  checkDevice(tensors);
  torch.setThreads(threads ?? physicalCores());
  return new TorchEngine(tensors, gpu);
}

/** What a device lacks shows only when it is used. */
function checkDevice(tensors: Tensors): void {
  const { torch, device } = tensors;
  try {
    torch.release(tensors.zeros(1));
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new UserError(`LibTorch ${torch.version} cannot use the device ${device.name}: ${error.message}`, {
      hint: '`resnode doctor` lists the devices that there are; --device cpu always is',
      cause: error,
    });
  }
}
