import type { Computing } from '../train/events.js';

/** `torch on cpu:2, bf16, 4 ranks`; what is usual is left out but for the engine. */
export function computingText({ engine, devices, precision, ranks }: Computing): string {
  const cpus = devices.filter((device) => device === 'cpu').length;
  const names = [
    ...(cpus > 0 ? [cpus > 1 ? `cpu:${cpus}` : 'cpu'] : []),
    ...devices.filter((device) => device !== 'cpu'),
  ];
  const where = engine === 'onednn' && cpus === 1 ? engine : `${engine} on ${names.join('+')}`;
  const extra = [precision === 'fp32' ? [] : [precision], ranks > 1 ? [`${ranks} ranks`] : []].flat();
  return [where, ...extra].join(', ');
}
