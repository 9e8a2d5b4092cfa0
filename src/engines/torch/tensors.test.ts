import { describe, expect, it } from 'vitest';
import type { Communicator, DeviceFloats } from '../../parallel/communicator.js';
import { parseDevice } from './device.js';
import { bindTorch } from './ffi.js';
import { findOrGetTorch } from './library/index.js';
import { Tensors } from './tensors.js';
import { hasTorch } from './testing/available.js';

describe.runIf(hasTorch)('a sum over replicas', () => {
  // a device that says that the host cannot reach its memory
  const start = async (streamOf?: () => bigint) => {
    const { folder } = await findOrGetTorch();
    const torch = bindTorch(folder);
    const cpu = parseDevice(torch, 'cpu');
    return { torch, cpu, tensors: new Tensors(torch, { ...cpu, host: false }, streamOf) };
  };
  const alone = { rank: 0, size: 1, broadcast() {}, barrier() {}, close() {} };

  it('is left to the device, in place and on its current stream, where the replicas reach each other', async () => {
    const { torch, cpu, tensors } = await start(() => 77n);
    const tensor = new Tensors(torch, cpu).zeros(33);
    const calls: DeviceFloats[] = [];
    const communicator: Communicator = {
      ...alone,
      allReduce: () => expect.unreachable(),
      allReduceOnDevice: (data) => calls.push(data),
    };
    tensors.allReduce(tensor, communicator);
    const address = new BigUint64Array(1);
    torch.call('aoti_torch_get_data_ptr', tensor, address);
    expect(calls).toEqual([{ address: address[0], length: 33, stream: 77n }]);
    torch.release(tensor);
  });
});
