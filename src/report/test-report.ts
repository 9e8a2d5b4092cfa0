import { access, constants, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { makeFolder } from '../data/make-folder.js';
import { type PictureSource, validationPictures } from '../data/read-picture.js';
import { UserError } from '../errors.js';
import { followsAnother } from '../parallel/mpi/launch.js';
import type { EvaluateOptions, EvaluateResult } from '../train/evaluation.js';
import { predictValidation } from '../train/predictions.js';
import { ReportBuilder } from './report.js';
import { type ReportFiles, reportFiles, writeReport } from './write-report.js';

/** Options of {@link testReport}. */
export interface TestReportOptions extends EvaluateOptions {
  /** Where the report goes. Default: the run folder of the checkpoint, or the folder of its file. */
  folder?: string | undefined;
}

export interface TestReportResult extends EvaluateResult {
  readonly report: ReportFiles;
}

/** Classes that are kept of each picture. */
const top = 5;

/**
 * Measures a trained network as `evaluate` does, and writes report.html and report.json about it; of several ranks the
 * first one writes.
 * @throws UserError when there is no checkpoint, the dataset has other classes, or the report cannot be written
 */
export async function testReport(options: TestReportOptions): Promise<TestReportResult> {
  const { folder, ...measuring } = options;
  if (followsAnother()) {
    const result = await predictValidation({ ...measuring, top, onPictures: () => {} });
    return { ...result, report: reportFiles(folder ?? runFolderOf(result.checkpoint)) };
  }
  if (folder !== undefined) await makeReportFolder(folder);
  let builder: ReportBuilder | undefined;
  let source: PictureSource | undefined;
  const result = await predictValidation({
    ...measuring,
    top,
    onStart: (start) => {
      builder = new ReportBuilder(start.info);
      source = validationPictures(start.dataset);
    },
    onPictures: (pictures) => builder?.add(pictures),
  });
  if (!builder || !source || result.images === 0) {
    throw new UserError('none of the validation pictures can be read: there is nothing to report');
  }
  const report = builder.finish(result);
  const target = folder ?? runFolderOf(result.checkpoint);
  return { ...result, report: await writeReport({ report, folder: target, source }) };
}

function runFolderOf(checkpoint: string): string {
  const folder = dirname(checkpoint);
  return basename(folder) === 'checkpoints' ? dirname(folder) : folder;
}

async function makeReportFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    if (!(await stat(folder)).isDirectory()) throw new Error('a file has this name');
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new UserError(`cannot write a report into ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
