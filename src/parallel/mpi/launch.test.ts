import { describe, expect, it } from 'vitest';
import { findLaunch } from './launch.js';

describe('findLaunch', () => {
  it.each([
    [
      {
        OMPI_COMM_WORLD_RANK: '2',
        OMPI_COMM_WORLD_SIZE: '4',
        OMPI_COMM_WORLD_LOCAL_SIZE: '2',
        OMPI_COMM_WORLD_LOCAL_RANK: '1',
      },
      { launcher: 'openmpi', rank: 2, size: 4, localSize: 2, localRank: 1 },
    ],
    [
      { PMI_RANK: '2', PMI_SIZE: '4', MPI_LOCALNRANKS: '2', MPI_LOCALRANKID: '1' },
      { launcher: 'hydra', rank: 2, size: 4, localSize: 2, localRank: 1 },
    ],
    [
      { PMI_RANK: '3', PMI_SIZE: '4', MPI_LOCALNRANKS: '2' },
      { launcher: 'hydra', rank: 3, size: 4, localSize: 2, localRank: 1 },
    ],
    [
      {
        SLURM_PROCID: '3',
        SLURM_STEP_NUM_TASKS: '8',
        SLURM_STEP_ID: '0',
        SLURM_STEP_TASKS_PER_NODE: '2(x4)',
        SLURM_LOCALID: '0',
      },
      { launcher: 'slurm', rank: 3, size: 8, localSize: 2, localRank: 0 },
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
