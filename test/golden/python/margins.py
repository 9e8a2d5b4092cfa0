"""Chooses input images that keep every kink of a network at a distance.

A ReLU whose input is within rounding error of zero, or a max-pool whose two largest values are, may go either way in
float32. One such flip changes a gradient by about 1/sqrt(size of the layer), 1e-3 and more, and says nothing about
correctness. So each step takes the first images, counted up from seed 0, with no such element: the distances are
FACTOR times the root mean square of the errors that a float32 run of the same network shows at that place.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.watched import watching

FACTOR = 5
TRIALS = 20_000


class TooClose(Exception):
    pass


def forward(model: nn.Module, images: Tensor, observer):
    """A forward pass in training mode that leaves the running statistics as they were."""
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    try:
        with torch.no_grad(), watching(observer):
            model(images)
    finally:
        for name, value in model.named_buffers():
            value.copy_(buffers[name])


def rounding_errors(model: nn.Module, images: Tensor) -> list[float]:
    """Root mean square of the errors of a float32 run at the input of each kink, in the order of the forward pass."""
    exact: list[Tensor] = []
    forward(model, images, lambda x, window: exact.append(x.clone()))
    places = iter(exact)
    errors: list[float] = []
    forward(copy.deepcopy(model).float(), images.float(),
            lambda x, window: errors.append(float((x.double() - next(places)).square().mean().sqrt())))
    return errors


def pool_gap(x: Tensor, window: tuple[int, int, int]) -> Tensor:
    """Distance of the two largest values in each window; exact ties (zeros after a ReLU) do not count."""
    kernel, stride, padding = window
    if padding:
        x = F.pad(x, [padding] * 4, value=float("-inf"))
    patches = x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)
    top = patches.topk(2, dim=4).values
    gap = top[..., 0] - top[..., 1]
    return gap[gap > 0]


def keeps_distance(model: nn.Module, images: Tensor, distances: list[float]) -> bool:
    left = iter(distances)

    def check(x: Tensor, window):
        distance = next(left)
        nearest = x.abs() if window is None else pool_gap(x, window) / 2
        if nearest.numel() and float(nearest.min()) < distance:
            raise TooClose

    try:
        forward(model, images, check)
    except TooClose:
        return False
    return True


def choose_seed(model: nn.Module, make_images) -> int:
    """The first seed whose images, `make_images(seed)`, keep every kink at its distance."""
    distances = [FACTOR * error for error in rounding_errors(model, make_images(0))]
    for seed in range(TRIALS):
        if keeps_distance(model, make_images(seed), distances):
            return seed
    raise RuntimeError(f"none of {TRIALS} seeds keeps every kink at a distance: take fewer pixels or a smaller batch")
