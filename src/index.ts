export { type Config, defineConfig, type PreprocessSettings } from './config/config.js';
export { type Dataset, readDataset } from './data/dataset.js';
export type { PreprocessOptions, PreprocessProgress } from './data/preprocess/options.js';
export { type PreprocessResult, preprocess } from './data/preprocess/preprocess.js';
export { readPicture } from './data/read-picture.js';
export type { Sample } from './data/sample.js';
export { UserError } from './errors.js';
export { createModel, type ModelSpec, modelNames } from './models/index.js';
export type { Model, ModelDescription } from './models/model.js';
export { type Prediction, type PredictOptions, type PredictResult, predict } from './predict/predict.js';
export type { LogSettings } from './report/log-settings.js';
export type { Accuracy, Mistake, Report } from './report/report.js';
export { type TestReportOptions, type TestReportResult, testReport } from './report/test-report.js';
export {
  type Checkpoint,
  type CheckpointInfo,
  type EpochResult,
  readCheckpoint,
} from './train/checkpoint.js';
export { evaluate } from './train/evaluate.js';
export type { EvaluateOptions, EvaluateProgress, EvaluateResult } from './train/evaluation.js';
export type { TrainEvent, TrainListener, TrainStart, TrainStep } from './train/events.js';
export {
  type CheckpointList,
  type ListedCheckpoint,
  listCheckpoints,
} from './train/list-checkpoints.js';
export type { OptimizerSpec } from './train/optimizers/index.js';
export {
  type PicturePrediction,
  type PredictValidationOptions,
  predictValidation,
} from './train/predictions.js';
export type { ScheduleSpec } from './train/schedules/index.js';
export { type TrainOptions, type TrainResult, train } from './train/train.js';
export type { TransformLists, TransformSettings } from './train/transform-lists.js';
