import { exitCodes, UserError } from '../../errors.js';
import type { ScheduleSpec } from './resolve.js';

const example =
  'for example cosine,tMax=5,etaMin=1e-5 or multiStep,milestones=30+60,gamma=0.1 or cosine,warmup=5';

/** Options with a form of their own on the command line. */
const readers: Readonly<Record<string, (value: string) => unknown>> = {
  milestones: (value) => value.split('+').map(Number),
  etaMinAfter(value) {
    const [epoch, etaMin] = value.split(':').map(Number);
    return { epoch, etaMin };
  },
  warmup(value) {
    const [length = '', startFactor, by] = value.split(':');
    const steps = /^(\d+)steps?$/.exec(length)?.[1];
    return {
      ...(steps === undefined ? { epochs: plain(length) } : { steps: Number(steps) }),
      ...(startFactor ? { startFactor: plain(startFactor) } : {}),
      ...(by ? { by } : {}),
    };
  },
};

/**
 * Reads a schedule as people type it: `plateau`, `cosine,tMax=5,etaMin=1e-5`, `multiStep,milestones=30+60`,
 * `cosine,warmup=5:0.01` (epochs, first share of the rate), `cosine,tMax=50,etaMinAfter=50:1e-7`, and several
 * one after the other: `constant until 10 then cosine until 50 then step`.
 * @throws UserError for what is no `option=value`
 */
export function parseSchedule(text: string): ScheduleSpec {
  const [first = '', ...later] = text.split(/\s+until\s+/);
  if (!later.length) return parseOne(text, first);
  const parts = later.map((part) => {
    const match = /^(\d+)\s+then\s+(.+)$/.exec(part.trim());
    if (match) return { milestone: Number(match[1]), schedule: parseOne(text, match[2] ?? '') };
    throw new UserError(`schedule '${text}': '${part}' is not 'EPOCH then SCHEDULE'`, {
      exitCode: exitCodes.usage,
      hint: "for example 'constant until 10 then cosine,etaMin=1e-5'",
    });
  });
  return {
    name: 'sequential',
    schedules: [parseOne(text, first), ...parts.map(({ schedule }) => schedule)],
    milestones: parts.map(({ milestone }) => milestone),
  };
}

function parseOne(whole: string, text: string): ScheduleSpec {
  const [name = '', ...parts] = text.split(',').map((part) => part.trim());
  const options = parts.map((part) => {
    const match = /^(\w+)=(.+)$/.exec(part);
    if (!match) {
      throw new UserError(`schedule '${whole}': '${part}' is not option=value`, {
        exitCode: exitCodes.usage,
        hint: example,
      });
    }
    const [, key = '', value = ''] = match;
    return [key, (readers[key] ?? plain)(value)] as const;
  });
  return { name, ...Object.fromEntries(options) };
}

function plain(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}
