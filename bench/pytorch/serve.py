"""The lines that a benchmark and its workers speak, on standard input and output."""

import json
import resource
import sys
import time
from collections.abc import Callable


def serve(step: Callable[[], None], version: str, wait: Callable[[], None] = lambda: None) -> None:
    """Prints one JSON line when ready, then answers each line `run N` with {"seconds": ...} and `quit` with the peak memory.

    `wait` returns when what the steps began is done.
    """
    step()
    wait()
    print(json.dumps({"ready": True, "version": version}), flush=True)
    for line in sys.stdin:
        command = line.split()
        if command[0] == "quit":
            break
        start = time.perf_counter()
        for _ in range(int(command[1])):
            step()
        wait()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
    print(json.dumps({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
