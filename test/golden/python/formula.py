"""Numbers that Python and TypeScript compute alike to the bit (see ../formula.ts), so that they need not be stored."""

import math

import numpy as np

SAMPLES = 8


def fnv1a(name: str) -> int:
    """FNV-1a, 32 bits, of the UTF-8 bytes of a tensor's name: the tensor's number k."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    return value


def fill(name: str, shape: tuple[int, ...], scale: float = 1.0, offset: float = 0.0) -> np.ndarray:
    """Uniform float32 values of standard deviation `scale` around `offset`, drawn by name and index alone."""
    count = math.prod(shape)
    base = (fnv1a(name) * 40503 * 65537 + 12345) % 2**32
    x = np.arange(count, dtype=np.uint32)
    x *= np.uint32(2654435761)
    x += np.uint32(base)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    u = x / 2.0**32 - 0.5
    values = (scale * (2 * u * math.sqrt(3))).astype(np.float32)
    return (values + np.float32(offset)).reshape(shape)


def labels(first: int, count: int, classes: int) -> np.ndarray:
    """Class of sample i, for i = first, first + 1, ..."""
    return ((np.arange(first, first + count) * 7 + 3) % classes).astype(np.int32)


def sample_indices(count: int) -> list[int]:
    """Eight places spread evenly over a tensor (some repeat if it has fewer than eight elements)."""
    return [(2 * j + 1) * count // (2 * SAMPLES) for j in range(SAMPLES)]


def digest(name: str, values: np.ndarray) -> list[float]:
    """[norm, dot with the vector that the formula draws for "probe:" + name, eight sampled values]."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    probe = fill("probe:" + name, flat.shape)
    sampled = [significant(value, 7) for value in flat[sample_indices(flat.size)]]
    return [significant(np.linalg.norm(flat)), significant(np.dot(flat, probe)), *sampled]


def significant(number: float, digits: int = 9) -> float:
    return float(f"{float(number):.{digits - 1}e}")
