"""The modules against timm and against the known parameter counts: python test/golden/python/check_models.py"""

import torch
from timm.layers import BatchNormAct2d, create_conv2d
from timm.models.resnetv2 import ResNetV2
from torch import nn

from models.plain import alexnet, vgg13, zfnet
from models.resnet import BnConvReluResNet, PreActResNet, cifar_stages

STAGES = {
    "20": [(128, 1), (256, 2), (512, 2), (1024, 1)],
    "26": [(128, 2), (256, 2), (512, 2), (1024, 2)],
    "29": [(128, 2), (256, 2), (512, 3), (1024, 2)],
    "38": [(128, 3), (256, 3), (512, 4), (1024, 2)],
    "50": [(256, 3), (512, 4), (1024, 6), (2048, 3)],
    "101": [(256, 3), (512, 4), (1024, 23), (2048, 3)],
    "152": [(256, 3), (512, 8), (1024, 36), (2048, 3)],
    "200": [(256, 3), (512, 24), (1024, 36), (2048, 3)],
    "20, wide": [(256, 1), (512, 2), (1080, 2), (2048, 1)],
}
PRE_ACTIVATION = {"20": 2_630_080, "26": 3_765_056, "29": 4_045_120, "38": 4_413_376, "50": 24_024_896,
                  "101": 43_017_024, "152": 58_660_672, "200": 63_141_696}
BN_CONV_RELU = {"20": 2_634_054, "26": 3_770_758, "29": 4_051_590, "38": 4_421_190, "50": 24_047_366, "20, wide": 10_338_606}


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def same_as_timm(ours: nn.Module, theirs: nn.Module, pixels: int) -> float:
    """Loads timm's random weights strictly and returns the largest difference of the logits, in double precision."""
    torch.manual_seed(1)
    theirs.double()
    for name, value in theirs.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if "var" in name or "norm" in name and "weight" in name else torch.randn_like(value) * 0.05)
    ours.double().load_state_dict(theirs.state_dict(), strict=True)
    images = torch.randn(2, 3, pixels, pixels, dtype=torch.float64)
    with torch.no_grad():
        difference = 0.0
        for training in (False, True):
            ours.train(training)
            theirs.train(training)
            expected = theirs(images)
            difference = max(difference, float((ours(images) - expected).abs().max() / expected.abs().max()))
    return difference


def main():
    meta = torch.device("meta")
    for name, expected in PRE_ACTIVATION.items():
        with meta:
            found = count(PreActResNet(STAGES[name], 256))
        print(f"pre-activation {name}: {found:,} parameters {'ok' if found == expected else f'WRONG, {expected:,} expected'}")
        layers, channels = [blocks for _, blocks in STAGES[name]], tuple(out for out, _ in STAGES[name])
        if name in ("20", "26", "50"):
            timm = ResNetV2(layers, channels, 256, conv_layer=create_conv2d, norm_layer=BatchNormAct2d)
            print(f"  timm's names and shapes, logits differ by {same_as_timm(PreActResNet(STAGES[name], 256), timm, 64):.1e}")
    for name, expected in BN_CONV_RELU.items():
        with meta:
            found = count(BnConvReluResNet(STAGES[name], 256))
        print(f"bn-conv-relu {name}: {found:,} parameters {'ok' if found == expected else f'WRONG, {expected:,} expected'}")
    for depth, bottleneck in ((20, False), (110, False), (29, True), (164, True), (1001, True)):
        stages = cifar_stages(depth, bottleneck)
        with meta:
            found = count(PreActResNet(stages, 10, "cifar", 16, bottleneck))
        convolutions = 2 + sum(blocks * (3 if bottleneck else 2) for _, blocks in stages)
        print(f"CIFAR {depth} {'bottleneck' if bottleneck else 'basic'}: {found:,} parameters, depth {convolutions}")
        if depth <= 29:
            channels = tuple(out for out, _ in stages)
            timm = ResNetV2([blocks for _, blocks in stages], channels, 10, stem_chs=16, basic=not bottleneck,
                            bottle_ratio=0.25 if bottleneck else 1.0, conv_layer=create_conv2d, norm_layer=BatchNormAct2d)
            timm.stem = nn.Sequential()
            timm.stem.add_module("conv", nn.Conv2d(3, 16, 3, padding=1, bias=False))
            print(f"  timm's names and shapes, logits differ by {same_as_timm(PreActResNet(stages, 10, 'cifar', 16, bottleneck), timm, 32):.1e}")
    for name, make, pixels in (("AlexNet", alexnet, 227), ("ZFNet", zfnet, 227), ("VGG13", vgg13, 224)):
        print(f"{name} at {pixels} pixels: {count(make(256, pixels)):,} parameters")


if __name__ == "__main__":
    main()
