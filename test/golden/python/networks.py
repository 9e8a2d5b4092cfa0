"""Whole networks: three training steps in float64, and the same in float32 to see how well conditioned they are."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from formula import digest, fill, labels, significant
from margins import choose_seed
from models.plain import alexnet, vgg13, zfnet
from models.resnet import BnConvReluResNet, PreActResNet, cifar_stages
from store import FOLDER, write_json

STEPS = 3
SGD = dict(momentum=0.9, nesterov=True, weightDecay=1e-4)
EVALUATION = "images:evaluation"
Tensors = dict[str, torch.Tensor]
RESNET26 = [(128, 2), (256, 2), (512, 2), (1024, 2)]


@dataclass
class Network:
    make: Callable[[int], nn.Module]
    description: dict
    batch: int
    pixels: int
    classes: int = 10
    lr: float = 0.01
    offsets: dict[str, float] = field(default_factory=dict)
    """Offsets of the biases whose whole name matches, to have fewer ReLU inputs near zero (see margins.py)."""
    floor: float = 0
    """Least error, relative to a channel's size, that kinks keep a distance from (see margins.py)."""
    agreement: float = 3e-5
    """Largest error that a float32 gradient may have, relative in the norm."""


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


# Where few values of a channel pass a ReLU, and barely, the BN behind it divides by next to nothing. So what goes into
# the pools is shifted down until what comes out (the largest of nine) is centred, and the biases open the ReLUs.
CONDITIONED = {
    r"features\.[014]\.norm\.bias": -1.8,
    r"features\.\d\.conv\.bias": 1.0,
    r"classifier\.[01]\.fc\.bias": 2.0,
}
NETWORKS = {
    "preact-32x1-64x2": pre_activation([(32, 1), (64, 2)], batch=8, pixels=64),
    "preact-64x1-128x1-256x2": pre_activation([(64, 1), (128, 1), (256, 2)], batch=8, pixels=64),
    "resnet26": pre_activation(RESNET26, batch=4, pixels=96, classes=256, offsets={r".*norm\d?\.bias": 1.0}),
    "bn-conv-relu-32x1-64x2": bn_conv_relu([(32, 1), (64, 2)], batch=2, pixels=32, lr=1e-3, floor=6e-6,
                                           offsets={r".*conv\.bias": 2.0}),
    "bn-conv-relu-26": bn_conv_relu(RESNET26, batch=4, pixels=96, classes=256, lr=1e-4, offsets={r".*conv\.bias": 1.5}),
    "cifar-20-basic": cifar(20, False, batch=4, pixels=32),
    "cifar-29-bottleneck": cifar(29, True, batch=2, pixels=32),
    "alexnet": plain("alexnet", alexnet, 67, batch=8, lr=1e-3, floor=3e-6, offsets=CONDITIONED),
    "zfnet": plain("zfnet", zfnet, 67, batch=12, lr=1e-3, offsets=CONDITIONED | {r"features\.\d\.conv\.bias": 2.0}),
    "vgg13": plain("vgg13", vgg13, 32, batch=4, lr=3e-4, agreement=1.5e-4),
}


def fill_rule(module: nn.Module, name: str, parameter: nn.Parameter) -> tuple[float, float]:
    """(scale, offset) of a parameter's initial values."""
    if isinstance(module, nn.PReLU):
        return 0.02, 0.25
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return (0.1, 1.0) if name == "weight" else (0.1, 0.0)
    if name == "bias":
        return 0.1, 0.0
    return float(np.sqrt(2 / parameter[0].numel())), 0.0


def initialise(network: Network, model: nn.Module) -> dict[str, dict]:
    """Fills the parameters by the formula and returns each one's shape and rule."""
    described = {}
    for prefix, module in model.named_modules():
        for own, parameter in module.named_parameters(recurse=False):
            name = f"{prefix}.{own}"
            scale, offset = fill_rule(module, own, parameter)
            offset = next((value for pattern, value in network.offsets.items() if re.fullmatch(pattern, name)), offset)
            parameter.data.copy_(torch.from_numpy(fill(name, tuple(parameter.shape), scale, offset)))
            described[name] = dict(shape=list(parameter.shape), scale=scale, offset=offset)
    return described


def images(network: Network, name: str) -> torch.Tensor:
    return torch.from_numpy(fill(name, (network.batch, 3, network.pixels, network.pixels))).double()


class Run:
    """A training run in one precision."""

    def __init__(self, network: Network, dtype: torch.dtype):
        self.dtype = dtype
        self.model = network.make(network.classes).to(dtype)
        self.described = initialise(network, self.model)
        self.sgd = torch.optim.SGD(self.model.parameters(), network.lr, SGD["momentum"], weight_decay=SGD["weightDecay"],
                                   nesterov=SGD["nesterov"])

    def step(self, batch: torch.Tensor, target: torch.Tensor) -> dict[str, Tensors]:
        self.sgd.zero_grad()
        logits = self.model(batch.to(self.dtype))
        loss = F.cross_entropy(logits, target)
        loss.backward()
        self.sgd.step()
        parameters = dict(self.model.named_parameters())
        return {
            "loss": {"loss": loss.detach()},
            "logits": {"logits": logits.detach()},
            "gradients": {name: value.grad for name, value in parameters.items()},
            "parameters": {name: value.detach() for name, value in parameters.items()},
            "running": {name: value for name, value in self.model.named_buffers() if "running" in name},
        }

    def evaluate(self, batch: torch.Tensor) -> dict[str, Tensors]:
        self.model.eval()
        with torch.no_grad():
            return {"logits": {"logits": self.model(batch.to(self.dtype))}}


def digests(tensors: dict[str, Tensors]) -> dict:
    """What the file keeps: the loss and a digest of every other tensor."""
    kept = {kind: {name: digest(name, value.numpy()) for name, value in each.items()} for kind, each in tensors.items()}
    if "loss" in tensors:
        kept["loss"] = significant(tensors["loss"]["loss"].item())
    return kept | {"logits": kept["logits"]["logits"]}


class Worst:
    """The largest relative error, in the norm, of a float32 run, by kind of tensor."""

    def __init__(self):
        self.errors: dict[str, tuple[float, str]] = {}

    def compare(self, single: dict[str, Tensors], exact: dict[str, Tensors]):
        for kind, tensors in exact.items():
            for name, value in tensors.items():
                error = float((single[kind][name].double() - value).norm() / value.norm())
                self.errors[kind] = max(self.errors.get(kind, (0.0, "")), (error, name))


def make_golden(network: Network, known: list[int]) -> tuple[dict, Worst]:
    """Trains in both precisions side by side: float64 is the golden run, float32 shows how well conditioned it is."""
    exact, single = Run(network, torch.float64), Run(network, torch.float32)
    worst, steps = Worst(), []
    for step in range(STEPS):
        target = torch.from_numpy(labels(step * network.batch, network.batch, network.classes)).long()
        make = lambda seed: images(network, f"images:{step}:{seed}")
        seed = choose_seed(exact.model, single.model, make, target, known[step] if known else None, network)
        expected = exact.step(make(seed), target)
        worst.compare(single.step(make(seed), target), expected)
        steps.append({"images": f"images:{step}:{seed}"} | digests(expected))
    batch = images(network, EVALUATION)
    expected = exact.evaluate(batch)
    worst.compare(single.evaluate(batch), expected)
    return {"tensors": exact.described, "steps": steps, "evaluation": {"images": EVALUATION} | digests(expected)}, worst


def known_seeds(name: str) -> list[int]:
    """Seeds of the file made before: the search for others takes minutes."""
    file = FOLDER / "networks" / f"{name}.json"
    return [int(step["images"].split(":")[-1]) for step in json.loads(file.read_text())["steps"]] if file.exists() else []


def generate(names: list[str] | None = None):
    print("| network | batch | pixels | parameters | loss of each step | logits | gradients (worst of all) | parameters | running |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in names or NETWORKS:
        network = NETWORKS[name]
        golden, worst = make_golden(network, known_seeds(name))
        count = sum(int(np.prod(tensor["shape"])) for tensor in golden["tensors"].values())
        head = network.description | dict(batch=network.batch, pixels=network.pixels, classes=network.classes, parameters=count)
        head |= dict(optimizer=dict(name="sgd", lr=network.lr) | SGD, batchNorm=dict(epsilon=1e-5, momentum=0.1))
        write_json(f"networks/{name}.json", head | golden)
        losses = ", ".join(f"{step['loss']:.4f}" for step in golden["steps"])
        errors = {kind: f"{error:.1e}" for kind, (error, _) in worst.errors.items()}
        errors["gradients"] += f" `{worst.errors['gradients'][1]}`"
        kinds = " | ".join(errors[kind] for kind in ("logits", "gradients", "parameters", "running"))
        print(f"| {name} | {network.batch} | {network.pixels} | {count:,} | {losses} | {kinds} |", flush=True)
