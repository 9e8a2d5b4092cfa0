import { fromWords, type Handle, type Torch } from './ffi.js';
import type { DispatchStep, HostInputs, Slot, StepArgument } from './step.js';

/** Writes one argument into the stack. */
type Writer = (stack: Uint32Array, doubles: Float64Array, inputs: HostInputs) => void;

/**
 * Makes an operation ready to be called over and over. The dispatcher takes over every handle it is given, so
 * each call gets fresh ones, except for tensors that nobody reads afterwards: those are handed over themselves.
 * @param moved tensors that nobody reads afterwards
 */
export function bindDispatch(
  torch: Torch,
  step: DispatchStep,
  moved: ReadonlySet<Slot>,
): (inputs: HostInputs) => void {
  const { args, results, overload } = step;
  const operation = `aten::${step.operation}`;
  const stack = new Uint32Array(2 * Math.max(args.length, results.length, 1));
  const doubles = new Float64Array(stack.buffer);
  const template = new Uint32Array(stack.length);
  const writers: Writer[] = [];
  args.forEach((argument, index) => {
    const writer = bindArgument(torch, argument, index, moved);
    if (isConstant(argument)) writer(template, new Float64Array(template.buffer), {});
    else writers.push(writer);
  });
  const consumed = args.reduce((sum, argument) => sum + handlesOf(argument), 0);
  return (inputs) => {
    stack.set(template);
    for (const write of writers) write(stack, doubles, inputs);
    torch.count(-consumed);
    torch.dispatch(operation, overload, stack);
    torch.count(results.length);
    for (let index = 0; index < results.length; index++) {
      const handle = fromWords(stack, 2 * index);
      const slot = results[index];
      if (slot) slot.handle = handle;
      else torch.release(handle);
    }
  };
}

function isConstant(argument: StepArgument): boolean {
  return (
    argument.kind === 'int' ||
    argument.kind === 'none' ||
    (argument.kind === 'float' && typeof argument.value === 'number')
  );
}

/** Handles that a call takes over with an argument. */
function handlesOf(argument: StepArgument): number {
  switch (argument.kind) {
    case 'tensor':
      return 1;
    case 'tensors':
      return argument.slots.length + 1;
    case 'ints':
      return 1;
    case 'some':
      return 1 + handlesOf(argument.of);
    default:
      return 0;
  }
}

function bindArgument(torch: Torch, argument: StepArgument, index: number, moved: ReadonlySet<Slot>): Writer {
  const low = 2 * index;
  switch (argument.kind) {
    case 'tensor': {
      const give = bindTensor(torch, argument.slot, moved);
      return (stack) => writeAddress(stack, low, give());
    }
    case 'tensors': {
      const { when } = argument;
      const gives = argument.slots.map((slot) => bindTensor(torch, slot, moved));
      return (stack, _, inputs) => {
        const list = newList(torch, gives.length);
        if (when && !when(inputs)) {
          torch.count(gives.length);
          writeAddress(stack, low, list);
          return;
        }
        for (const give of gives) torch.call('torch_list_push_back', list, give());
        writeAddress(stack, low, list);
      };
    }
    case 'ints': {
      const { values } = argument;
      return (stack) => {
        const list = newList(torch, values.length);
        for (const value of values) torch.call('torch_list_push_back', list, value);
        writeAddress(stack, low, list);
      };
    }
    case 'int': {
      const { value } = argument;
      return (stack) => {
        stack[low] = value | 0;
        stack[low + 1] = Math.floor(value / 2 ** 32);
      };
    }
    case 'float': {
      const { value } = argument;
      if (typeof value === 'number') {
        return (_, doubles) => {
          doubles[index] = value;
        };
      }
      return (_, doubles, inputs) => {
        doubles[index] = value(inputs);
      };
    }
    case 'none':
      return (stack) => writeAddress(stack, low, 0);
    case 'some': {
      const inner = new Uint32Array(2);
      const innerDoubles = new Float64Array(inner.buffer);
      const write = bindArgument(torch, argument.of, 0, moved);
      return (stack, _, inputs) => {
        write(inner, innerDoubles, inputs);
        writeAddress(stack, low, torch.box(inner[0] as number, inner[1] as number));
      };
    }
  }
}

function bindTensor(torch: Torch, slot: Slot, moved: ReadonlySet<Slot>): () => Handle {
  const moves = moved.has(slot);
  return () => {
    const { handle } = slot;
    // LibTorch would not survive it
    if (handle === 0) throw new Error('a tensor is read that was given away');
    if (!moves) return torch.share(handle);
    slot.handle = 0;
    return handle;
  };
}

function newList(torch: Torch, length: number): Handle {
  return torch.create('torch_new_list_reserve_size', length);
}

function writeAddress(stack: Uint32Array, low: number, address: Handle): void {
  stack[low] = address % 2 ** 32;
  stack[low + 1] = Math.floor(address / 2 ** 32);
}
