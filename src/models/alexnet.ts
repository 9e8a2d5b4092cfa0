import { plainFamily } from './plain.js';

/**
 * AlexNet (Krizhevsky et al. 2012) in one column, as DeepLearning_MiniProjects has it: batch norm after the ReLU in
 * the place of local response normalisation, dropout also after the poolings. For pictures of 227 px.
 */
export const alexnet = plainFamily({
  name: 'alexnet',
  layers: [
    { out: 96, kernel: 11, stride: 4 },
    { pool: 3, stride: 2 },
    { out: 256, kernel: 5, padding: 2 },
    { pool: 3, stride: 2 },
    { out: 384, kernel: 3, padding: 1 },
    { out: 384, kernel: 3, padding: 1 },
    { out: 256, kernel: 3, padding: 1 },
    { pool: 3, stride: 2 },
  ],
  activation: 'relu',
  classifierNorm: true,
  classifierDropout: [0.5, 0],
  linearInitialization: 'xavier',
  minimumSize: 67,
  defaultSize: 227,
});
