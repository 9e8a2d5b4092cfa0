import { describe, expect, it } from 'vitest';
import { findLaunch } from './launch.js';

describe('findLaunch', () => {
  it.each([
    [
      { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_SIZE: '2' },
      { launcher: 'openmpi', rank: 1, size: 4, localSize: 2 },
    ],
    [
      { PMI_RANK: '0', PMI_SIZE: '2', MPI_LOCALNRANKS: '2' },
      { launcher: 'hydra', rank: 0, size: 2, localSize: 2 },
    ],
    [
      {
        SLURM_PROCID: '3',
        SLURM_STEP_NUM_TASKS: '8',
        SLURM_STEP_ID: '0',
        SLURM_STEP_TASKS_PER_NODE: '2(x4)',
      },
      { launcher: 'slurm', rank: 3, size: 8, localSize: 2 },
    ],
  ])('%j', (environment, launch) => {
    expect(findLaunch(environment)).toEqual(launch);
  });

  it.each([
    ['no launcher', {}],
    ['one rank', { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' }],
    ['a batch script of SLURM', { SLURM_PROCID: '0', SLURM_NTASKS: '8' }],
    ['nonsense', { PMI_RANK: 'x', PMI_SIZE: '2' }],
  ])('is alone with %s', (_, environment) => {
    expect(findLaunch(environment)).toBeUndefined();
  });
});
