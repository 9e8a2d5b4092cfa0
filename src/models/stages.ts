import { UserError } from '../errors.js';

/** The stages of a bottleneck ResNet, from the picture to the classes: output channels and number of blocks. */
export type Stages = ReadonlyArray<readonly [channels: number, blocks: number]>;

/** Output channels are four times the channels inside a bottleneck. */
export const bottleneckExpansion = 4;

const example = '--stages 128x2,256x2,512x2,1024x2';
const mostChannels = 65_536;
const mostBlocks = 1000;

/**
 * Reads a stage list as people type it, `128x2,256x2`: output channels x blocks, a comma between stages.
 * @throws UserError that names the stage at fault
 */
export function parseStages(text: string): Stages {
  if (!text.trim()) {
    throw new UserError('the stage list is empty', {
      hint: `write CHANNELSxBLOCKS for each stage: ${example}`,
    });
  }
  const stages = text.split(',').map((part, index) => {
    const match = /^\s*(\d+)\s*[x×*]\s*(\d+)\s*$/i.exec(part);
    if (!match) {
      throw new UserError(`stage ${index + 1} of '${text}' is '${part.trim()}', not CHANNELSxBLOCKS`, {
        hint: `for example ${example}`,
      });
    }
    return [Number(match[1]), Number(match[2])] as const;
  });
  checkStages(stages);
  return stages;
}

/** `128x2,256x2`; `separator` stands between the stages. */
export function formatStages(stages: Stages, separator = ','): string {
  return stages.map(([channels, blocks]) => `${channels}x${blocks}`).join(separator);
}

export function sameStages(a: Stages, b: Stages): boolean {
  return formatStages(a) === formatStages(b);
}

/** @throws UserError where a bottleneck ResNet cannot be made of them */
export function checkStages(stages: Stages): void {
  if (!stages.length)
    throw new UserError('a ResNet needs at least one stage', { hint: `for example ${example}` });
  stages.forEach(([channels, blocks], index) => {
    const where = `stage ${index + 1} of ${formatStages(stages)}`;
    if (!isWhole(channels, mostChannels) || channels % bottleneckExpansion !== 0) {
      const below = Math.floor(channels / bottleneckExpansion) * bottleneckExpansion;
      throw new UserError(`${where}: ${channels} output channels cannot be made of bottlenecks`, {
        hint: `use a multiple of ${bottleneckExpansion} from ${bottleneckExpansion} to ${mostChannels}${
          below >= bottleneckExpansion && below < mostChannels ? `, for example ${below}` : ''
        }`,
      });
    }
    if (!isWhole(blocks, mostBlocks)) {
      throw new UserError(`${where}: ${blocks} blocks`, { hint: `a stage has 1 to ${mostBlocks} blocks` });
    }
  });
}

function isWhole(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
