/** A wheel on PyPI of which some files are wanted. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** SHA-256 of the wheel file, lower-case hexadecimal. */
  readonly sha256: string;
  /** The part of its name that pip chooses by: the oldest C library that it runs with. */
  readonly platform: string;
  /** Bytes of the wheel, about, for the message while it is fetched. */
  readonly bytes: number;
  /** Files taken out on a machine without a GPU. With one, every library and licence. */
  readonly needed: RegExp;
}

const licences = /\.dist-info\/.*(LICENSE|License|NOTICE)[^/]*$/;
const either = (...parts: RegExp[]): RegExp => new RegExp(parts.map(({ source }) => source).join('|'));

/** Every library, what says its version, and the licences. */
export const everything = either(
  /\/lib\/[^/]+\.so[^/]*$/,
  /^torch\/include\/torch\/headeronly\/version\.h$/,
  licences,
);

export const releaseVersion = '2.15.0';

/**
 * PyTorch for Linux on x86-64 with glibc, as PyPI has it: a build for CUDA, whose CPU half needs the CUDA runtime and
 * cupti to load. The Python that it is made for does not matter here, since none runs.
 */
export const cpuWheels: readonly Wheel[] = [
  {
    project: 'torch',
    version: releaseVersion,
    sha256: '48c2d861134c0b5697c7602cb5ffa68f62a2989fdcd1717e593356f67996ca1e',
    platform: 'manylinux_2_28_x86_64',
    bytes: 533_000_000,
    needed: either(
      /^torch\/lib\/lib(torch_cpu|c10|gomp)\.so[^/]*$/,
      /^torch\/include\/torch\/headeronly\/version\.h$/,
      licences,
    ),
  },
  nvidia('nvidia-cuda-runtime', '13.2.86', 'manylinux2014_x86_64', 2_300_000, [
    '3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0',
    'cudart',
  ]),
  nvidia('nvidia-cuda-cupti', '13.2.86', 'manylinux_2_25_x86_64', 10_700_000, [
    '8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586',
    'cupti',
  ]),
];

/** What the GPU half needs beside them. */
export const cudaWheels: readonly Wheel[] = [
  nvidia('nvidia-cudnn-cu13', '9.26.0.51', 'manylinux_2_27_x86_64', 450_000_000, [
    '9c976d539786698c71d6bcdbe2053b7485fae062ff7e1215d2f2ff67b1a2149a',
  ]),
  nvidia('nvidia-cusparselt-cu13', '0.8.1', 'manylinux2014_x86_64', 220_000_000, [
    '786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0',
  ]),
  nvidia('nvidia-nccl-cu13', '2.30.7', 'manylinux_2_18_x86_64', 200_000_000, [
    'cefa7fdb9710efd0f39c5f1be1d61ff6fc9a996c451265bd7fbdcf9455ed4b50',
  ]),
  nvidia('nvidia-nvshmem-cu13', '3.7.2', 'manylinux2014_x86_64', 140_000_000, [
    'b9a4f843c62b5dded8ad33fd6d220e007dcd39f06cee549292f5ba14ce4c235c',
  ]),
  nvidia('nvidia-cublas', '13.4.1.3', 'manylinux_2_27_x86_64', 430_000_000, [
    'a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7',
  ]),
  nvidia('nvidia-cuda-nvrtc', '13.2.86', 'manylinux2010_x86_64', 90_000_000, [
    '8111c5130e967b78222ea2124145f8efe9ce201b752b2579a2513100a53be1c5',
  ]),
  nvidia('nvidia-cufft', '12.2.0.57', 'manylinux2014_x86_64', 220_000_000, [
    '34da27fadf3979b0b042c43823f0530be8408b86df31ee0108e1ca0b621d4ef6',
  ]),
  nvidia('nvidia-cufile', '1.17.1.22', 'manylinux_2_27_x86_64', 1_200_000, [
    '87feaf8c3ad20d3d03a01933181801ff6892bace5c8f0b1e4b48f319d3e62d36',
  ]),
  nvidia('nvidia-cusolver', '12.2.0.11', 'manylinux_2_27_x86_64', 200_000_000, [
    'fab5778f6769947389a1a6abc07e635576825a08c0ffc68c3ae7f1392c794b42',
  ]),
  nvidia('nvidia-cusparse', '12.7.10.12', 'manylinux2014_x86_64', 150_000_000, [
    '25907c75e4db1581685f06f61cc6cdecc04611765516a52373e0a18ebd69fa00',
  ]),
  nvidia('nvidia-nvtx', '13.2.86', 'manylinux1_x86_64', 150_000, [
    '968ce72baee2a01791c7d3254000eac81f24677b0b91c62d21b449a1f309c245',
  ]),
  nvidia('nvidia-nvjitlink', '13.5.37', 'manylinux2010_x86_64', 40_000_000, [
    '280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb',
  ]),
];

function nvidia(
  project: string,
  version: string,
  platform: string,
  bytes: number,
  [sha256, library = '']: readonly [sha256: string, library?: string],
): Wheel {
  const needed = either(new RegExp(`/lib/lib${library}\\.so[^/]*$`), licences);
  return { project, version, sha256, platform, bytes, needed };
}
