import { exitCodes, UserError } from '../errors.js';

const hint = 'Give cpu, cpu:2 (two replicas that share the threads), cuda:0 or cuda:0,cuda:1.';

/**
 * The device of each replica: `cpu:2` stands for two replicas on the CPU, `cuda:0,cuda:1` for one on each of two GPUs.
 * @throws UserError for a name that no engine knows, or a GPU named twice
 */
export function parseDevices(text: string): string[] {
  const devices = text.split(',').flatMap((part) => {
    const name = part.trim().toLowerCase();
    const cpus = /^cpu(?::(\d+))?$/.exec(name);
    if (cpus) return repeated('cpu', cpus[1] === undefined ? 1 : Number(cpus[1]), text);
    if (/^cuda(:\d+)?$/.test(name)) return [name === 'cuda' ? 'cuda:0' : name];
    if (name === 'mps') return [name];
    return refuse(`devices cannot be '${text}': '${part.trim()}' is none`);
  });
  const twice = devices.find((name, index) => name !== 'cpu' && devices.indexOf(name) !== index);
  if (twice !== undefined) return refuse(`devices cannot be '${text}': ${twice} is named twice`);
  return devices;
}

function repeated(name: string, count: number, text: string): string[] {
  if (count < 1 || count > 64)
    return refuse(`devices cannot be '${text}': 1 to 64 replicas may share the CPU`);
  return new Array<string>(count).fill(name);
}

function refuse(message: string): never {
  throw new UserError(message, { exitCode: exitCodes.usage, hint });
}
