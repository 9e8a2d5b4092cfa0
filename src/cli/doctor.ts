import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { type Ability, isaName, precisions } from '../engines/onednn/library/capabilities.js';
import type { OneDnnLibrary } from '../engines/onednn/library/index.js';
import { type Accelerator, accelerators } from '../engines/torch/accelerators.js';
import type { TorchLibrary } from '../engines/torch/library/index.js';
import { exitCodes, UserError } from '../errors.js';
import { cgroupLimits } from '../system/cgroup.js';
import { cpuFeatures, cpuModel, physicalCores } from '../system/cpu.js';
import { busyCores, loadAverage } from '../system/load.js';
import { memory } from '../system/memory.js';
import { resnodeVersion } from '../version.js';
import { origins, torchOrigins } from './setup.js';

const examples = `
Nothing is fetched or changed. The exit code is 0 if training can run here, 1 if not.

Examples:
  $ resnode doctor
  $ resnode doctor --json`;

/** `resnode doctor`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Show what this machine has, and what can run on it.')
    .option('--json', 'print it as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run({ json }: { json: boolean }): Promise<void> {
  const diagnosis = await diagnose();
  process.stdout.write(json ? `${JSON.stringify(diagnosis, null, 2)}\n` : describe(diagnosis));
  if (!diagnosis.ok) process.exitCode = exitCodes.failure;
}

interface Fault {
  message: string;
  hint?: string;
}

/** What `--json` prints; sizes in bytes. What is null is not known or not there. */
interface Diagnosis {
  /** Whether training can run here. */
  ok: boolean;
  resnode: string;
  node: string;
  platform: string;
  cpu: {
    model: string;
    features: string[] | null;
    logicalProcessors: number;
    physicalCores: number;
    /** The container's limit, in cores. */
    quota: number | null;
    /** Threads that the engine takes by default. */
    threads: number;
    /** Cores that all processes kept busy while this was made, and the mean of the last minute. */
    busyCores: number;
    loadAverage: number | null;
  };
  memory: { total: number; available: number; limit: number | null; transparentHugePages: string | null };
  library: (OneDnnLibrary & { instructions: string }) | null;
  engines: { onednn: { fp32: Ability; bf16: Ability }; torch: TorchAbility };
  /** GPUs that this machine's drivers show, whether an engine can use them or not. */
  gpus: readonly Accelerator[];
  packages: { sharp: string | null; libvips: string | null; jpegTurbo: string | null };
  /** What keeps training from running. */
  faults: Fault[];
  /** What makes it slower than it could be. */
  notes: string[];
}

type TorchAbility =
  | (TorchLibrary & {
      readonly supported: true;
      /** Devices that it can compute on here, in PyTorch's words. */
      readonly devices: readonly string[];
    })
  | { readonly supported: false; readonly reason: string };

async function diagnose(): Promise<Diagnosis> {
  // measured first, so that our own work is not counted
  const busy = await busyCores();
  const faults: Fault[] = [];
  const library = await inspectLibrary(faults);
  const packages = await inspectPackages(faults);
  const gpus = accelerators();
  const { limit, transparentHugePages, ...sizes } = memory();
  const quota = cgroupLimits().cpus;
  const logicalProcessors = availableParallelism();
  const cpu = {
    model: cpuModel(),
    features: cpuFeatures() ?? null,
    logicalProcessors,
    physicalCores: physicalCores({ ignoreQuota: true }),
    quota: quota !== undefined && quota < logicalProcessors ? quota : null,
    threads: physicalCores(),
    busyCores: Number(busy.toFixed(1)),
    loadAverage: loadAverage() ?? null,
  };
  const missing: Ability = { supported: false, reason: 'its library, oneDNN, cannot be used here' };
  return {
    ok: faults.length === 0,
    resnode: resnodeVersion,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpu,
    memory: { ...sizes, limit: limit ?? null, transparentHugePages: transparentHugePages ?? null },
    library: library ? { ...library.found, instructions: isaName(library.isa) } : null,
    engines: {
      onednn: library
        ? precisions(library.isa, process.arch)
        : { fp32: missing, bf16: missing, fp16: missing },
      torch: await inspectTorch(gpus),
    },
    gpus,
    packages,
    faults,
    notes: notesOn(cpu, transparentHugePages, library?.found),
  };
}

async function inspectLibrary(faults: Fault[]): Promise<{ found: OneDnnLibrary; isa: number } | undefined> {
  try {
    const { findOrGetOneDnn } = await import('../engines/onednn/library/index.js');
    const found = await findOrGetOneDnn({ allowDownload: false });
    const { bindOneDnn } = await import('../engines/onednn/ffi.js');
    return { found, isa: bindOneDnn(found.path).effectiveIsa() };
  } catch (error) {
    faults.push(asFault('onednn', error));
    return undefined;
  }
}

async function inspectTorch(gpus: readonly Accelerator[]): Promise<TorchAbility> {
  try {
    const { findTorch } = await import('../engines/torch/library/index.js');
    const found = await findTorch();
    if (!found) {
      return { supported: false, reason: 'LibTorch is not on this machine (resnode setup --engine torch)' };
    }
    (await import('../engines/torch/ffi.js')).bindTorch(found.folder);
    const usable = found.accelerated ? gpus.map(({ device }) => device) : [];
    return { supported: true, ...found, devices: ['cpu', ...usable] };
  } catch (error) {
    return { supported: false, reason: asFault('LibTorch', error).message };
  }
}

async function inspectPackages(faults: Fault[]): Promise<Diagnosis['packages']> {
  const packages: Diagnosis['packages'] = { sharp: null, libvips: null, jpegTurbo: null };
  try {
    const { default: sharp } = await import('sharp');
    packages.sharp = sharp.versions.sharp ?? null;
    packages.libvips = sharp.versions.vips;
  } catch (error) {
    faults.push(asFault('sharp', error));
  }
  try {
    await import('@julusian/jpeg-turbo');
    const require = createRequire(import.meta.url);
    packages.jpegTurbo = packageVersion(require.resolve('@julusian/jpeg-turbo/package.json'));
  } catch (error) {
    faults.push(asFault('@julusian/jpeg-turbo', error));
  }
  return packages;
}

function asFault(what: string, error: unknown): Fault {
  if (error instanceof UserError) {
    return { message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
  // sharp explains a failed load over many lines; the first says which
  const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return { message: `${what} does not load: ${first}`, hint: 'install the packages again: `npm install`' };
}

function notesOn(
  cpu: Diagnosis['cpu'],
  hugePages: string | undefined,
  library: OneDnnLibrary | undefined,
): string[] {
  const notes: string[] = [];
  if (cpu.busyCores >= 0.3) {
    notes.push(
      `Other processes keep ${cpu.busyCores} cores busy right now. With one thread per core a busy neighbour makes ` +
        'two threads slower than one: wait for it, or leave it a core with --threads.',
    );
  }
  if (cpu.quota !== null) {
    notes.push(`The container may use ${cpu.quota} of ${cpu.logicalProcessors} processors.`);
  }
  if (hugePages === 'never') {
    notes.push(
      'Huge pages are switched off (transparent_hugepage=never): the start and large models are slower.',
    );
  }
  if (library?.cpuRuntime === 'sequential') {
    notes.push('This oneDNN was built without threads: it uses one core. RESNODE_ONEDNN can name another.');
  }
  return notes;
}

function packageVersion(file: URL | string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function describe({ cpu, library, engines, gpus, packages, faults, notes, ...rest }: Diagnosis): string {
  const row = (name: string, text: string): string => `${name.padEnd(14)}${text}`;
  const lines = [
    row('resnode', `${rest.resnode}, Node ${rest.node}, ${rest.platform}`),
    row('CPU', cpu.model),
    row('  features', cpu.features?.join(' ') ?? 'not told by this platform'),
    row(
      '  cores',
      `${plural(cpu.physicalCores, 'physical core')}, ${plural(cpu.logicalProcessors, 'logical processor')}`,
    ),
    row('  threads', `${cpu.threads} by default (--threads)`),
    row(
      '  busy',
      `${cpu.busyCores} cores now${cpu.loadAverage === null ? '' : `, load average ${cpu.loadAverage}`}`,
    ),
    row('memory', describeMemory(rest.memory)),
    row('  huge pages', rest.memory.transparentHugePages ?? 'not told by this platform'),
    row(
      'oneDNN',
      library ? `${library.version} (${library.cpuRuntime}), ${origins[library.source]}` : 'not found',
    ),
    ...(library ? [row('', library.path), row('  uses', library.instructions)] : []),
    row(
      'packages',
      `sharp ${packages.sharp ?? 'missing'} (libvips ${packages.libvips ?? 'missing'}), jpeg-turbo ${packages.jpegTurbo ?? 'missing'}`,
    ),
    '',
    'engines',
    row('  onednn', `fp32  ${ability(engines.onednn.fp32)}`),
    row('', `bf16  ${ability(engines.onednn.bf16)}`),
    ...describeTorch(engines.torch).map((text, index) => row(index ? '' : '  torch', text)),
    row('GPUs', gpus.map(({ device, name }) => `${device} ${name}`).join(', ') || 'none seen'),
    '',
    ...notes.map((note) => `note: ${note}`),
    ...faults.flatMap(({ message, hint }) => [`error: ${message}`, ...(hint ? [`hint:  ${hint}`] : [])]),
    rest.ok ? 'Training can run here.' : 'Training cannot run here yet.',
  ];
  return `${lines.join('\n')}\n`;
}

function describeTorch(torch: TorchAbility): string[] {
  if (!torch.supported) return [`no: ${torch.reason}`];
  const { version, source, devices, folder } = torch;
  return [`yes, on ${devices.join(', ')}: LibTorch ${version}, ${torchOrigins[source]}`, folder];
}

function ability(value: Ability): string {
  if (!value.supported) return `no: ${value.reason}`;
  return value.note === undefined ? 'yes' : `yes, ${value.note}`;
}

function describeMemory({ total, available, limit }: Diagnosis['memory']): string {
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const bound = limit === null ? '' : `, of which the container may use ${gib(limit)}`;
  return `${gib(total)}${bound}, ${gib(available)} available`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
