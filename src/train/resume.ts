import type { Dataset } from '../data/dataset.js';
import { UserError } from '../errors.js';
import { createModel } from '../models/index.js';
import type { Checkpoint } from './checkpoint.js';
import { type ResolvedTraining, sameModel, type TrainSettings } from './config.js';
import type { RunFolder } from './run-folder.js';
import { Schedule } from './schedules/index.js';
import type { StartingPoint } from './starting-point.js';
import { type Position, startPosition } from './trainer.js';

/** What `resume: false` says of a run that exists. */
export function alreadyTrained(folder: RunFolder, { info }: Checkpoint): UserError {
  return new UserError(`the run ${folder.path} has been trained already, up to epoch ${info.epoch}`, {
    hint: 'Give another --project to start anew, or go on with it by leaving out --no-resume. Nothing was changed.',
  });
}

/** @throws UserError when the run belongs to another dataset, other classes or another model */
export function checkSameRun(
  folder: RunFolder,
  { kind, checkpoint: { path, info } }: StartingPoint,
  dataset: Dataset,
  { model }: TrainSettings,
): void {
  const fork = kind === 'fork';
  const subject = fork ? `the checkpoint ${path}` : `the run ${folder.path}`;
  const hint = `Give another --project for a new training${fork ? ', without --fork' : ''}. Nothing was changed.`;
  if (info.classes.join('\n') !== dataset.classes.join('\n')) {
    throw new UserError(
      `${subject} tells ${info.classes.length} other classes apart than the ${dataset.classes.length} of ${dataset.folder}`,
      { hint },
    );
  }
  if (info.dataset !== dataset.fingerprint) {
    throw new UserError(`${subject} was trained on other pictures than those of ${dataset.folder}`, {
      hint: `${hint} (Its own were in ${info.config.data}.)`,
    });
  }
  if (model === undefined) return;
  const wanted = createModel(model);
  if (sameModel(wanted.description, info.model.description)) return;
  throw new UserError(`${subject} trains ${info.model.name}, not ${wanted.name}`, { hint });
}

/** The schedule where the checkpoint left it; a learning rate that was changed since holds from here on. */
export function resumeSchedule(
  { config }: ResolvedTraining,
  checkpoint: Checkpoint | undefined,
  on: { dataset: Dataset; position: Position; warn: (message: string) => void },
): Schedule {
  const { schedule: spec, learningRate: baseRate, batchSize } = config;
  const saved = checkpoint?.info;
  const { epoch: epochs, step: steps } = on.position;
  const stepsPerEpoch = Math.floor(on.dataset.train.length / batchSize);
  const schedule = new Schedule(spec, {
    ...{ baseRate, stepsPerEpoch, saved: saved?.schedule },
    done: { epochs, steps },
  });
  if (saved && schedule.perStep && saved.stepsPerEpoch !== stepsPerEpoch) {
    on.warn(
      `an epoch has ${stepsPerEpoch} batches now, not ${saved.stepsPerEpoch}: the schedule goes on counting batches`,
    );
  }
  if (saved && saved.config.learningRate !== baseRate) schedule.rebase();
  return schedule;
}

/** Where to go on: in the middle of an epoch only when its batches are the same as before. */
export function resumePosition(
  { info }: Checkpoint,
  { config }: ResolvedTraining,
  dataset: Dataset,
  warn: (message: string) => void,
): Position {
  const { epoch, step, globalStep, running, history, best, lossScaler } = info;
  const scaler = lossScaler ?? undefined;
  const base = { ...startPosition, epoch, globalStep, history, best, scaler };
  if (step === 0) return base;
  const before = info.config;
  const same =
    config.seed === before.seed &&
    config.batchSize === before.batchSize &&
    config.shuffleBuffer === before.shuffleBuffer &&
    Math.floor(dataset.train.length / config.batchSize) === info.stepsPerEpoch;
  if (same && running) {
    const { seconds, ...sums } = running;
    return { ...base, step, sums, seconds };
  }
  warn(`batch size, seed or shuffle buffer differ from before: epoch ${epoch + 1} starts over`);
  return base;
}
