/**
 * What MPI's transports are told before they are loaded. UCX, which Debian's MPIs bring in, replaces malloc's hooks and
 * patches functions of the C library in the running process. Two of some hundred starts ended in a segmentation fault that
 * UCX reported; that the hooks are to blame is a guess. It is asked not to set them, and then registers memory anew for
 * RDMA.
 */
const settings: Readonly<Record<string, string>> = {
  UCX_MEM_EVENTS: 'n',
  UCX_MEM_MALLOC_HOOKS: 'n',
  UCX_MEM_MALLOC_RELOC: 'n',
  UCX_MEM_MMAP_HOOK_MODE: 'none',
  OMPI_MCA_memory: '^patcher',
};

/** Sets what is not set. Of the main thread's environment: that of another thread is a copy which no library sees. */
export function prepareEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(settings)) environment[name] ??= value;
}
