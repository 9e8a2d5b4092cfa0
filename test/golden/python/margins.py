"""Chooses input images that keep every kink of a network at a distance.

A ReLU whose input is within rounding error of zero, or a max-pool whose two largest values are, may go either way in
float32. One such flip changes a gradient by about 1/sqrt(size of the layer), 1e-3 and more, and says nothing about
correctness. So each step takes the first images, counted up from seed 0, with no such element: the distances are
FACTOR times the root mean square of the errors that a float32 run of the same network shows in that channel, and of
`floor` of the channel's size at least: oneDNN sums a batch norm's statistics one element after the other, whose errors
(6e-6 in the networks here, on AVX2) are ten times those of PyTorch's pairwise sums.
"""

import copy
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.watched import watching

FACTOR = 5
TRIALS = 20_000


class Limits(Protocol):
    """What a `Network` says of its conditioning."""

    floor: float
    agreement: float


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


def rounding_errors(model: nn.Module, single: nn.Module, images: Tensor, floor: float) -> list[Tensor]:
    """Root mean square of the errors of the float32 network per channel of each kink's input, in the order of the forward pass."""
    exact: list[Tensor] = []
    forward(model, images, lambda x, window: exact.append(x.clone()))
    places = iter(exact)
    errors: list[Tensor] = []

    def compare(x: Tensor, _window):
        right = next(places)
        size = lambda values: values.square().mean([dim for dim in range(x.dim()) if dim != 1], keepdim=True).sqrt()
        errors.append(torch.maximum(size(x.double() - right), floor * size(right)))

    forward(single, images.float(), compare)
    return errors


def pool_gap(x: Tensor, window: tuple[int, int, int]) -> Tensor:
    """Distance of the two largest values in each window; exact ties (zeros after a ReLU) do not count."""
    kernel, stride, padding = window
    if padding:
        x = F.pad(x, [padding] * 4, value=float("-inf"))
    patches = x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)
    top = patches.topk(2, dim=4).values
    gap = top[..., 0] - top[..., 1]
    return torch.where(gap > 0, gap, torch.inf)


def keeps_distance(model: nn.Module, images: Tensor, distances: list[Tensor]) -> bool:
    left = iter(distances)

    def check(x: Tensor, window):
        nearest = x.abs() if window is None else pool_gap(x, window) / 2
        if bool((nearest < next(left)).any()):
            raise TooClose

    try:
        forward(model, images, check)
    except TooClose:
        return False
    return True


def gradients(model: nn.Module, images: Tensor, target: Tensor) -> list[Tensor]:
    trial = copy.deepcopy(model)
    return list(torch.autograd.grad(F.cross_entropy(trial(images), target), list(trial.parameters())))


def disagreement(model: nn.Module, single: nn.Module, images: Tensor, target: Tensor) -> float:
    """The largest error of a float32 gradient, relative in the norm: large where terms cancel, as in a shared PReLU weight.

    Computed with two sets of kernels, since another engine's sums run in yet another order.
    """
    exact = gradients(model, images, target)
    worst = 0.0
    for layout in (torch.contiguous_format, torch.channels_last):
        rough = gradients(copy.deepcopy(single).to(memory_format=layout), images.float().contiguous(memory_format=layout), target)
        worst = max(worst, *(float((mine.double() - right).norm() / right.norm()) for mine, right in zip(rough, exact)))
    return worst


def choose_seed(
    model: nn.Module,
    single: nn.Module,
    make_images: Callable[[int], Tensor],
    target: Tensor,
    known: int | None,
    limits: Limits,
) -> int:
    """The first seed whose images keep every kink at its distance and whose gradients float32 gets right.

    `single` is the same network in a float32 run of its own; the seed `known` is tried before all others.
    """
    distances = [FACTOR * error for error in rounding_errors(model, single, make_images(0), limits.floor)]
    for seed in [*([] if known is None else [known]), *range(TRIALS)]:
        images = make_images(seed)
        if keeps_distance(model, images, distances) and disagreement(model, single, images, target) < limits.agreement:
            return seed
    raise RuntimeError(f"none of {TRIALS} seeds keeps every kink at a distance: take fewer pixels or a smaller batch")
