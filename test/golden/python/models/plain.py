"""AlexNet, ZFNet and VGG13: convolution -> activation -> BN, without dropout (a golden file cannot hold its draws)."""

from torch import Tensor, nn

from models.watched import max_pool, prelu, relu

# a convolution (out, kernel, stride, padding) or a max-pool (kernel, stride)
Layer = tuple[int, int, int, int] | tuple[int, int]

ALEXNET: list[Layer] = [
    (96, 11, 4, 0), (3, 2), (256, 5, 1, 2), (3, 2), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1), (3, 2),
]
ZFNET: list[Layer] = [
    (96, 7, 2, 0), (3, 2), (256, 5, 2, 1), (3, 2), (512, 3, 1, 1), (1024, 3, 1, 1), (512, 3, 1, 1), (3, 2),
]
VGG13: list[Layer] = [
    layer for out in (64, 128, 256, 512, 512) for layer in ((out, 3, 1, 1), (out, 3, 1, 1), (2, 2))
]


class PlainNet(nn.Module):
    """`prelu`: convolutions end in a PReLU with one shared weight; `classifier_norm`: BN after each hidden linear's ReLU."""

    def __init__(self, layers: list[Layer], classes: int, pixels: int, prelu: bool, classifier_norm: bool, hidden: int = 4096):
        super().__init__()
        self.layers = layers
        self.features = nn.ModuleList()
        channels, side = 3, pixels
        for layer in layers:
            kernel, stride, padding = layer[1:] if len(layer) == 4 else (*layer, 0)
            side = (side + 2 * padding - kernel) // stride + 1
            if len(layer) == 4:
                out = layer[0]
                parts = {"conv": nn.Conv2d(channels, out, kernel, stride, padding)}
                if prelu:
                    parts["act"] = nn.PReLU()
                self.features.append(nn.ModuleDict(parts | {"norm": nn.BatchNorm2d(out)}))
                channels = out
        inputs = channels * side * side
        self.classifier = nn.ModuleList()
        for outputs in (hidden, hidden, classes):
            parts = {"fc": nn.Linear(inputs, outputs)}
            if classifier_norm and len(self.classifier) < 2:
                parts["norm"] = nn.BatchNorm1d(outputs)
            self.classifier.append(nn.ModuleDict(parts))
            inputs = outputs

    def convolve(self, x: Tensor) -> Tensor:
        units = iter(self.features)
        for layer in self.layers:
            if len(layer) == 2:
                x = max_pool(x, *layer)
                continue
            unit = next(units)
            x = unit["conv"](x)
            x = unit["norm"](prelu(x, unit["act"].weight) if "act" in unit else relu(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolve(x).flatten(1)
        for unit in self.classifier[:-1]:
            x = relu(unit["fc"](x))
            if "norm" in unit:
                x = unit["norm"](x)
        return self.classifier[-1]["fc"](x)


def alexnet(classes: int, pixels: int = 227) -> PlainNet:
    return PlainNet(ALEXNET, classes, pixels, prelu=False, classifier_norm=True)


def zfnet(classes: int, pixels: int = 227) -> PlainNet:
    return PlainNet(ZFNET, classes, pixels, prelu=False, classifier_norm=True)


def vgg13(classes: int, pixels: int = 224) -> PlainNet:
    return PlainNet(VGG13, classes, pixels, prelu=True, classifier_norm=False)
