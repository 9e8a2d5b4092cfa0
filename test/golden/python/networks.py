"""Whole networks: three training steps in float64, and the same in float32 to see how well conditioned they are."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from formula import digest, fill, labels, significant
from margins import choose_seed
from models.plain import alexnet, vgg13, zfnet
from models.resnet import BnConvReluResNet, PreActResNet, cifar_stages
from store import write_json

STEPS = 3
SGD = dict(momentum=0.9, nesterov=True, weightDecay=1e-4)
EVALUATION = "images:evaluation"
Recorder = Callable[[str, dict[str, torch.Tensor]], object]
RESNET26 = [(128, 2), (256, 2), (512, 2), (1024, 2)]


@dataclass
class Network:
    make: Callable[[int], nn.Module]
    description: dict
    batch: int
    pixels: int
    classes: int = 10
    lr: float = 0.01
    open_relu: float = 0.0
    """Offset of the biases in front of the ReLUs: the deep networks have too many elements to keep all away from zero."""


def pre_activation(stages, **sizes) -> Network:
    return Network(partial(PreActResNet, stages), dict(network="preact", stages=stages), **sizes)


def bn_conv_relu(stages, **sizes) -> Network:
    return Network(partial(BnConvReluResNet, stages), dict(network="bn-conv-relu", stages=stages), **sizes)


def cifar(depth: int, bottleneck: bool, **sizes) -> Network:
    stages = cifar_stages(depth, bottleneck)
    make = lambda classes: PreActResNet(stages, classes, "cifar", 16, bottleneck)
    block = "bottleneck" if bottleneck else "basic"
    return Network(make, dict(network="cifar", depth=depth, block=block, stages=stages), **sizes)


def plain(name: str, make, pixels: int, **sizes) -> Network:
    return Network(partial(make, pixels=pixels), dict(network=name), pixels=pixels, **sizes)


NETWORKS = {
    "preact-32x1-64x2": pre_activation([(32, 1), (64, 2)], batch=8, pixels=64),
    "preact-64x1-128x1-256x2": pre_activation([(64, 1), (128, 1), (256, 2)], batch=8, pixels=64),
    "resnet26": pre_activation(RESNET26, batch=4, pixels=96, classes=256, open_relu=1),
    "bn-conv-relu-32x1-64x2": bn_conv_relu([(32, 1), (64, 2)], batch=8, pixels=64),
    "bn-conv-relu-26": bn_conv_relu(RESNET26, batch=4, pixels=96, classes=256, lr=1e-3, open_relu=1.5),
    "cifar-20-basic": cifar(20, False, batch=4, pixels=32),
    "cifar-29-bottleneck": cifar(29, True, batch=2, pixels=32),
    "alexnet": plain("alexnet", alexnet, 67, batch=16),
    "zfnet": plain("zfnet", zfnet, 67, batch=12),
    "vgg13": plain("vgg13", vgg13, 32, batch=8, lr=1e-3),
}


def fill_rule(module: nn.Module, name: str, parameter: nn.Parameter, norm_bias: float, conv_bias: float) -> tuple[float, float]:
    """(scale, offset) of a parameter's initial values."""
    if isinstance(module, nn.PReLU):
        return 0.02, 0.25
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return (0.1, 1.0) if name == "weight" else (0.1, norm_bias)
    if name == "bias":
        return 0.1, conv_bias if isinstance(module, nn.Conv2d) else 0.0
    return float(np.sqrt(2 / parameter[0].numel())), 0.0


def initialise(model: nn.Module, open_relu: float) -> dict[str, dict]:
    """Fills the parameters by the formula and returns each one's shape and rule."""
    described = {}
    # which bias stands in front of a ReLU depends on the form of the network
    biases = (open_relu, 0.0) if isinstance(model, PreActResNet) else (0.0, open_relu)
    for prefix, module in model.named_modules():
        for own, parameter in module.named_parameters(recurse=False):
            name = f"{prefix}.{own}"
            scale, offset = fill_rule(module, own, parameter, *biases)
            parameter.data.copy_(torch.from_numpy(fill(name, tuple(parameter.shape), scale, offset)))
            described[name] = dict(shape=list(parameter.shape), scale=scale, offset=offset)
    return described


def images(network: Network, name: str) -> torch.Tensor:
    return torch.from_numpy(fill(name, (network.batch, 3, network.pixels, network.pixels))).double()


def choose_images(network: Network, model: nn.Module, step: int) -> str:
    """Name of the step's images; see margins.py for how they are chosen."""
    return f"images:{step}:{choose_seed(model, lambda seed: images(network, f'images:{step}:{seed}'))}"


def train(network: Network, dtype: torch.dtype, record: Recorder, names: list[str] | None = None) -> dict:
    """`record(kind, tensors)` says what is kept; without `names` the images of each step are chosen."""
    model = network.make(network.classes).to(dtype)
    described = initialise(model, network.open_relu)
    sgd = torch.optim.SGD(model.parameters(), network.lr, SGD["momentum"], weight_decay=SGD["weightDecay"], nesterov=SGD["nesterov"])
    steps = []
    for step in range(STEPS):
        name = names[step] if names else choose_images(network, model, step)
        target = torch.from_numpy(labels(step * network.batch, network.batch, network.classes)).long()
        sgd.zero_grad()
        logits = model(images(network, name).to(dtype))
        loss = F.cross_entropy(logits, target)
        loss.backward()
        kept = {"images": name, "loss": significant(loss.item()), "logits": record("logits", {"logits": logits.detach()})}
        kept["gradients"] = record("gradients", {name: value.grad for name, value in model.named_parameters()})
        sgd.step()
        kept["parameters"] = record("parameters", {name: value.detach() for name, value in model.named_parameters()})
        kept["running"] = record("running", {name: value for name, value in model.named_buffers() if "running" in name})
        steps.append(kept)
    model.eval()
    with torch.no_grad():
        logits = record("logits", {"logits": model(images(network, EVALUATION).to(dtype))})
    return {"tensors": described, "steps": steps, "evaluation": {"images": EVALUATION, "logits": logits}}


def make_golden(network: Network) -> tuple[dict, dict[str, tuple[float, str]]]:
    """The golden values, and the largest relative error (in the norm) of a float32 run of each kind of tensor."""
    exact: list[dict[str, np.ndarray]] = []
    worst: dict[str, tuple[float, str]] = {}

    def keep(kind: str, tensors: dict[str, torch.Tensor]):
        # float32 copies will do to measure a float32 run by
        exact.append({key: value.float().numpy().copy() for key, value in tensors.items()})
        digests = {key: digest(key, value.numpy()) for key, value in tensors.items()}
        return digests["logits"] if kind == "logits" else digests

    golden = train(network, torch.float64, keep)
    left = iter(exact)

    def compare(kind: str, tensors: dict[str, torch.Tensor]):
        for key, value in next(left).items():
            expected = value.astype(np.float64)
            error = float(np.linalg.norm(tensors[key].numpy() - expected) / np.linalg.norm(expected))
            worst[kind] = max(worst.get(kind, (0.0, "")), (error, key))

    single = train(network, torch.float32, compare, [step["images"] for step in golden["steps"]])
    worst["loss"] = max((abs(a["loss"] / b["loss"] - 1), "") for a, b in zip(single["steps"], golden["steps"]))
    return golden, worst


def generate(names: list[str] | None = None):
    print("largest error of PyTorch's own float32 run against float64, relative in the norm")
    print("| network | batch | pixels | parameters | seeds | loss of each step | logits | gradients | parameters | running |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in names or NETWORKS:
        network = NETWORKS[name]
        golden, worst = make_golden(network)
        count = sum(int(np.prod(tensor["shape"])) for tensor in golden["tensors"].values())
        head = network.description | dict(batch=network.batch, pixels=network.pixels, classes=network.classes, parameters=count)
        head |= dict(optimizer=dict(name="sgd", lr=network.lr) | SGD, batchNorm=dict(epsilon=1e-5, momentum=0.1))
        write_json(f"networks/{name}.json", head | golden)
        seeds = ", ".join(step["images"].split(":")[-1] for step in golden["steps"])
        losses = ", ".join(f"{step['loss']:.4f}" for step in golden["steps"])
        kinds = " | ".join(f"{worst[kind][0]:.1e}" for kind in ("logits", "gradients", "parameters", "running"))
        print(f"| {name} | {network.batch} | {network.pixels} | {count:,} | {seeds} | {losses} | {kinds} | {worst['gradients'][1]}", flush=True)
