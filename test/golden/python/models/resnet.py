"""Residual networks: pre-activation (timm's ResNetV2 names, ImageNet and CIFAR forms) and the bn-conv-relu form."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.watched import max_pool, relu

Stages = list[tuple[int, int]]  # (output channels, blocks)


class PreActBlock(nn.Module):
    """BN-ReLU before each convolution; the projection sees the pre-activated input, as in timm."""

    def __init__(self, channels: int, out: int, stride: int, bottleneck: bool, project: bool):
        super().__init__()
        middle = out // 4 if bottleneck else out
        # (kernel, in, out, stride); the stride sits on the first 3x3
        shapes = [(1, channels, middle, 1), (3, middle, middle, stride), (1, middle, out, 1)]
        if not bottleneck:
            shapes = [(3, channels, middle, stride), (3, middle, out, 1)]
        self.depth = len(shapes)
        if project:
            self.downsample = nn.ModuleDict({"conv": nn.Conv2d(channels, out, 1, stride, bias=False)})
        for number, (kernel, inputs, outputs, step) in enumerate(shapes, 1):
            setattr(self, f"norm{number}", nn.BatchNorm2d(inputs))
            setattr(self, f"conv{number}", nn.Conv2d(inputs, outputs, kernel, step, kernel // 2, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x
        for number in range(1, self.depth + 1):
            x = relu(getattr(self, f"norm{number}")(x))
            if number == 1 and hasattr(self, "downsample"):
                shortcut = self.downsample["conv"](x)
            x = getattr(self, f"conv{number}")(x)
        return x + shortcut


class PreActResNet(nn.Module):
    """stem "imagenet": 7x7/2 convolution and 3x3/2 max-pool; "cifar": a 3x3 convolution. Both without BN."""

    def __init__(self, stages: Stages, classes: int, stem: str = "imagenet", stem_channels: int = 64, bottleneck: bool = True):
        super().__init__()
        self.imagenet = stem == "imagenet"
        conv = nn.Conv2d(3, stem_channels, 7, 2, 3, bias=False) if self.imagenet else nn.Conv2d(3, stem_channels, 3, 1, 1, bias=False)
        self.stem = nn.ModuleDict({"conv": conv})
        self.stages = nn.ModuleList()
        channels = stem_channels
        for index, (out, count) in enumerate(stages):
            blocks = nn.ModuleList()
            for block in range(count):
                stride = 2 if index > 0 and block == 0 else 1
                project = block == 0 and (bottleneck or stride != 1 or channels != out)
                blocks.append(PreActBlock(channels, out, stride, bottleneck, project))
                channels = out
            self.stages.append(nn.ModuleDict({"blocks": blocks}))
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.ModuleDict({"fc": nn.Conv2d(channels, classes, 1)})

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem["conv"](x)
        if self.imagenet:
            x = max_pool(x, 3, 2, 1)
        for stage in self.stages:
            for block in stage["blocks"]:
                x = block(x)
        x = F.adaptive_avg_pool2d(relu(self.norm(x)), 1)
        return self.head["fc"](x).flatten(1)


class Unit(nn.Module):
    """BN -> convolution with bias -> ReLU."""

    def __init__(self, channels: int, out: int, kernel: int = 1, stride: int = 1):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.conv(self.norm(x)))


class UnitBlock(nn.Module):
    def __init__(self, channels: int, out: int, stride: int, project: bool):
        super().__init__()
        middle = out // 4
        self.unit1 = Unit(channels, middle)
        self.unit2 = Unit(middle, middle, 3, stride)
        self.unit3 = Unit(middle, out)
        if project:
            self.shortcut = nn.ModuleDict({"conv": nn.Conv2d(channels, out, 1, stride)})

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.shortcut["conv"](x) if hasattr(self, "shortcut") else x
        return self.unit3(self.unit2(self.unit1(x))) + shortcut


class BnConvReluResNet(nn.Module):
    """The original's own form: no final norm, the projection on the raw input, biases everywhere."""

    def __init__(self, stages: Stages, classes: int):
        super().__init__()
        self.stem = Unit(3, 64, 7, 2)
        self.stages = nn.ModuleList()
        channels = 64
        for index, (out, count) in enumerate(stages):
            blocks = nn.ModuleList()
            for block in range(count):
                blocks.append(UnitBlock(channels, out, 2 if index > 0 and block == 0 else 1, block == 0))
                channels = out
            self.stages.append(nn.ModuleDict({"blocks": blocks}))
        self.head = nn.ModuleDict({"fc": nn.Linear(channels, classes)})

    def forward(self, x: Tensor) -> Tensor:
        x = max_pool(self.stem(x), 3, 2, 1)
        for stage in self.stages:
            for block in stage["blocks"]:
                x = block(x)
        return self.head["fc"](F.adaptive_avg_pool2d(x, 1).flatten(1))


def cifar_stages(depth: int, bottleneck: bool) -> Stages:
    per_stage = 9 if bottleneck else 6
    if (depth - 2) % per_stage:
        raise ValueError(f"depth {depth} is not {per_stage}n+2")
    width = 4 if bottleneck else 1
    return [(channels * width, (depth - 2) // per_stage) for channels in (16, 32, 64)]
