"""ReLU, PReLU and max-pool, which have kinks: an observer may look at their inputs (see ../margins.py)."""

from collections.abc import Callable
from contextlib import contextmanager

import torch.nn.functional as F
from torch import Tensor

# (input, pooling window or None)
Observer = Callable[[Tensor, tuple[int, int, int] | None], None]

_observer: Observer | None = None


@contextmanager
def watching(observer: Observer):
    global _observer
    _observer = observer
    try:
        yield
    finally:
        _observer = None


def relu(x: Tensor) -> Tensor:
    if _observer:
        _observer(x, None)
    return F.relu(x)


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    if _observer:
        _observer(x, None)
    return F.prelu(x, weight)


def max_pool(x: Tensor, kernel: int, stride: int, padding: int = 0) -> Tensor:
    if _observer:
        _observer(x, (kernel, stride, padding))
    return F.max_pool2d(x, kernel, stride, padding)
