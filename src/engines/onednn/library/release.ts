/** A build of oneDNN on PyPI that resnode fetches where the machine has none. */
export interface Release {
  readonly project: string;
  readonly version: string;
  /** SHA-256 of the wheel file, lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes of the wheel, for the message while it is fetched. */
  readonly bytes: number;
  /** What is taken out of the wheel: the library first, then its licences. Paths inside the wheel. */
  readonly library: string;
  readonly documents: readonly string[];
}

const data = 'onednn_cpu_gomp-2023.2.0.data/data';

/** oneDNN 3.2 for Linux on x86-64 with glibc, OpenMP by libgomp, Apache-2.0. */
export const release: Release = {
  project: 'onednn-cpu-gomp',
  version: '2023.2.0',
  sha256: '2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb',
  bytes: 38_888_991,
  library: `${data}/lib/libdnnl.so.3`,
  documents: [`${data}/share/doc/onednn/LICENSE`, `${data}/share/doc/onednn/THIRD-PARTY-PROGRAMS`],
};
