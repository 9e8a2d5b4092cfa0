"""conv2d: forward and gradients over odd sizes, strides, paddings, dilations, groups and channel counts."""

import torch
import torch.nn.functional as F

from formula import fill
from store import CaseFile

# id, [n, c, h, w], out channels, then what differs from kernel 3, stride 1, padding 0, dilation 1, groups 1, no bias
CASES = [
    ("1x1-17-to-24", [2, 17, 5, 3], 24, dict(kernel=1)),
    ("1x1-64-to-16-bias", [2, 64, 3, 2], 16, dict(kernel=1, bias=True)),
    ("1x1-16-to-64", [1, 16, 2, 2], 64, dict(kernel=1)),
    ("1x1-stride-2", [2, 16, 5, 5], 32, dict(kernel=1, stride=2)),
    ("1x1-stride-2-even", [1, 24, 6, 8], 17, dict(kernel=1, stride=2, bias=True)),
    ("1x1-stride-2x1", [2, 5, 7, 4], 16, dict(kernel=1, stride=(2, 1))),
    ("1x1-padding-1", [2, 5, 4, 3], 3, dict(kernel=1, padding=1, bias=True)),
    ("1x1-image-1x1", [1, 32, 1, 1], 16, dict(kernel=1)),
    ("1-to-1", [1, 1, 5, 5], 1, dict(padding=1)),
    ("1-to-17", [2, 1, 6, 5], 17, dict(padding=1, bias=True)),
    ("3-to-16", [2, 3, 6, 5], 16, dict(padding=1, bias=True)),
    ("17-to-5", [2, 17, 7, 5], 5, dict(padding=1, bias=True)),
    ("32-to-16", [1, 32, 4, 4], 16, dict(padding=1)),
    ("64-to-3", [1, 64, 3, 2], 3, dict(padding=1)),
    ("image-1x1", [1, 5, 1, 1], 3, dict(padding=1, bias=True)),
    ("image-1x1-batch-2", [2, 17, 1, 1], 5, dict(padding=1)),
    ("one-row", [2, 3, 1, 9], 5, dict(kernel=(1, 3), padding=(0, 1))),
    ("no-padding", [2, 5, 5, 7], 16, dict()),
    ("padding-2x0", [2, 3, 4, 6], 5, dict(padding=(2, 0), bias=True)),
    ("stride-2-odd", [2, 17, 7, 5], 8, dict(stride=2, padding=1)),
    ("stride-2-even", [1, 24, 6, 8], 5, dict(stride=2, padding=1)),
    ("stride-2-unused-edge", [2, 5, 6, 6], 3, dict(stride=2)),
    ("stride-3", [2, 3, 10, 8], 16, dict(stride=3, padding=1, bias=True)),
    ("stride-3x2", [2, 5, 11, 8], 3, dict(stride=(3, 2), padding=(1, 0))),
    ("kernel-1x3", [2, 16, 5, 6], 5, dict(kernel=(1, 3), padding=(0, 1))),
    ("kernel-3x1", [2, 3, 5, 6], 24, dict(kernel=(3, 1), padding=(1, 0), bias=True)),
    ("kernel-5x3-stride-1x2", [2, 5, 7, 9], 3, dict(kernel=(5, 3), padding=(2, 1), stride=(1, 2))),
    ("kernel-2-stride-2", [2, 16, 6, 4], 16, dict(kernel=2, stride=2)),
    ("kernel-2x3-padding-1", [1, 3, 5, 4], 5, dict(kernel=(2, 3), padding=1, bias=True)),
    ("kernel-4-stride-2", [2, 5, 8, 7], 3, dict(kernel=4, stride=2, padding=1)),
    ("kernel-5", [2, 5, 7, 6], 5, dict(kernel=5, padding=2, bias=True)),
    ("kernel-7-stem", [1, 3, 15, 13], 16, dict(kernel=7, stride=2, padding=3)),
    ("kernel-7-stem-no-padding", [1, 3, 14, 17], 5, dict(kernel=7, stride=2, bias=True)),
    ("kernel-11-stem", [1, 3, 27, 23], 3, dict(kernel=11, stride=4, bias=True)),
    ("kernel-is-image", [2, 24, 3, 5], 3, dict(kernel=(3, 5), bias=True)),
    ("dilation-2", [2, 5, 7, 8], 3, dict(dilation=2, padding=2)),
    ("dilation-2x1", [2, 3, 8, 5], 17, dict(dilation=(2, 1), padding=(1, 1), bias=True)),
    ("dilation-1x3-stride-2", [1, 16, 7, 11], 3, dict(dilation=(1, 3), padding=(1, 3), stride=2)),
    ("groups-2", [2, 16, 4, 5], 16, dict(groups=2, padding=1, bias=True)),
    ("groups-3", [2, 15, 4, 6], 6, dict(groups=3, padding=1)),
    ("groups-4-of-64", [1, 64, 3, 2], 32, dict(kernel=1, groups=4, bias=True)),
    ("groups-3-stride-2", [1, 24, 7, 5], 15, dict(groups=3, stride=2, padding=1)),
    ("depthwise-17", [2, 17, 4, 5], 17, dict(groups=17, padding=1, bias=True)),
    ("depthwise-32-stride-2", [2, 32, 5, 5], 32, dict(groups=32, stride=2, padding=1)),
    ("depthwise-5-twice", [2, 5, 5, 4], 10, dict(groups=5, padding=1)),
    ("depthwise-3-kernel-5-dilation-2", [1, 3, 11, 10], 3, dict(groups=3, kernel=5, dilation=2, padding=4)),
]


def pair(value) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


def generate():
    file = CaseFile("ops/conv2d.safetensors")
    for name, shape, out, given in CASES:
        options = dict(kernel=3, stride=1, padding=0, dilation=1, groups=1, bias=False) | given
        attributes = {key: pair(options[key]) for key in ("stride", "padding", "dilation")} | {"groups": options["groups"]}
        case = f"conv2d:{name}"
        leaf = lambda role, size, scale=1.0: torch.tensor(fill(f"{case}.{role}", size, scale), dtype=torch.float64).requires_grad_()
        in_group = shape[1] // options["groups"]
        kernel = pair(options["kernel"])
        x = leaf("x", shape)
        weight = leaf("weight", (out, in_group, *kernel), (in_group * kernel[0] * kernel[1]) ** -0.5)
        bias = leaf("bias", (out,)) if options["bias"] else None
        y = F.conv2d(x, weight, bias, attributes["stride"], attributes["padding"], attributes["dilation"], options["groups"])
        dy = torch.tensor(fill(f"{case}.dy", tuple(y.shape)), dtype=torch.float64)
        y.backward(dy)
        roles = dict(x=x, weight=weight, bias=bias, dy=dy, y=y, dx=x.grad, dweight=weight.grad)
        file.add(case, "conv2d", attributes, roles | {"dbias": bias.grad if bias is not None else None})
    file.write()
