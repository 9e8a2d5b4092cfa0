"""PyTorch's side of the benchmark: the same network, step and inference, on command from standard input by serve.py."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn

from serve import serve


class Bottleneck(nn.Module):
    """Pre-activation bottleneck (He et al. 2016), with timm's ResNetV2 layout."""

    def __init__(self, channels: int, out: int, stride: int, first: bool):
        super().__init__()
        middle = out // 4
        self.norm1 = nn.BatchNorm2d(channels)
        self.downsample = nn.Conv2d(channels, out, 1, stride, bias=False) if first else None
        self.conv1 = nn.Conv2d(channels, middle, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pre = F.relu(self.norm1(x), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(pre)
        h = F.relu(self.norm2(self.conv1(pre)), inplace=True)
        h = F.relu(self.norm3(self.conv2(h)), inplace=True)
        return self.conv3(h) + shortcut


class ResNet(nn.Module):
    def __init__(self, stages: list[tuple[int, int]], classes: int):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        blocks, channels = [], 64
        for stage, (out, count) in enumerate(stages):
            for block in range(count):
                blocks.append(Bottleneck(channels, out, 2 if stage > 0 and block == 0 else 1, block == 0))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        x = F.relu(self.norm(self.blocks(x)), inplace=True)
        return self.head(x.mean((2, 3)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stages", required=True, help="128x2,256x2,...")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--pixels", type=int, required=True)
    parser.add_argument("--classes", type=int, default=256)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--mode", choices=["train", "inference"], default="train")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    stages = [tuple(map(int, stage.split("x"))) for stage in options.stages.split(",")]
    device = torch.device(options.device)
    model = ResNet(stages, options.classes).to(device)
    images = torch.randn(options.batch, 3, options.pixels, options.pixels, device=device)
    labels = torch.randint(0, options.classes, (options.batch,), device=device)
    if options.channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)

    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(options.precision)
    scaler = torch.amp.GradScaler(device.type, enabled=options.precision == "fp16")

    def forward() -> torch.Tensor:
        with torch.autocast(device.type, dtype=half, enabled=half is not None):
            return model(images)

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(F.cross_entropy(forward().float(), labels)).backward()
        scaler.step(optimizer)
        scaler.update()

    @torch.inference_mode()
    def infer() -> None:
        forward()

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    if options.mode == "inference":
        model.eval()
    step = train if options.mode == "train" else infer
    serve(step, f"torch {torch.__version__}", wait)


main()
