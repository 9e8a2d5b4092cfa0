import type { Graph } from '../../graph/graph.js';
import { physicalCores } from '../../system/cpu.js';
import {
  type CompileOptions,
  type Engine,
  EngineError,
  type EngineOptions,
  type EngineState,
} from '../engine.js';
import { compileGraph } from './compiler.js';
import { bindOneDnn } from './ffi.js';
import { findOrGetOneDnn } from './library/index.js';
import { OneDnnProgram } from './program.js';
import { Runtime } from './runtime.js';
import { OneDnnState } from './state.js';

/** oneDNN 3 on the CPU: blocked layouts, fused primitives, a static plan. */
export class OneDnnEngine implements Engine {
  readonly name = 'onednn';
  readonly #runtime: Runtime;
  readonly #programs = new Set<OneDnnProgram>();
  readonly #states = new Set<OneDnnState>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  createState(): OneDnnState {
    const state = new OneDnnState(this.#runtime);
    this.#states.add(state);
    return state;
  }

  compile(graph: Graph, { state, poison = false, communicator }: CompileOptions): OneDnnProgram {
    if (!isOurs(state)) throw new EngineError('the state belongs to another engine');
    const compiled = compileGraph(this.#runtime, graph, state, communicator);
    const program = new OneDnnProgram({ runtime: this.#runtime, state, compiled, poison });
    this.#programs.add(program);
    return program;
  }

  close(): void {
    for (const program of this.#programs) program.close();
    for (const state of this.#states) state.close();
    this.#runtime.close();
  }
}

function isOurs(state: EngineState): state is OneDnnState {
  return state instanceof OneDnnState;
}

/** Finds (or gets) the library and starts the engine in the calling thread. */
export async function createOneDnnEngine(options: EngineOptions): Promise<OneDnnEngine> {
  const found = await findOrGetOneDnn(options.onProgress ? { onProgress: options.onProgress } : {});
  const library = bindOneDnn(found.path);
  library.setThreads(options.threads ?? physicalCores());
  return new OneDnnEngine(new Runtime(library));
}
