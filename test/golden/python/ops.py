"""Every other operation: normalisation, activations, pooling, linear, losses, and the shape-only ones."""

import numpy as np
import torch
import torch.nn.functional as F

from formula import fill
from store import CaseFile


def leaf(name: str, shape, scale: float = 1.0, offset: float = 0.0) -> torch.Tensor:
    return torch.tensor(fill(name, tuple(shape), scale, offset), dtype=torch.float64).requires_grad_()


def backward(case: str, y: torch.Tensor) -> torch.Tensor:
    """Runs the gradient from a random upstream gradient and returns that."""
    dy = torch.tensor(fill(f"{case}.dy", tuple(y.shape)), dtype=torch.float64)
    y.backward(dy)
    return dy


def size(shape) -> str:
    return "x".join(str(n) for n in shape)


def unary(file: CaseFile, op: str, attributes: dict, x: torch.Tensor, function, case: str):
    """A case of an operation with one input and no parameters."""
    y = function(x)
    dy = backward(case, y)
    file.add(case, op, attributes, dict(x=x, dy=dy, y=y, dx=x.grad))


def batch_norm():
    file = CaseFile("ops/batchNorm.safetensors")
    train = [
        ([2, 3, 5, 7], 1e-5, 0.1), ([4, 17, 3, 3], 1e-5, 0.1), ([1, 24, 6, 7], 1e-5, 0.1), ([2, 16, 5, 4], 1e-3, 0.9),
        ([3, 32, 4, 3], 1e-5, 0.1), ([2, 64, 4, 4], 1e-5, 0.3), ([40, 5, 1, 1], 1e-5, 0.1), ([33, 1, 1, 1], 1e-5, 0.1),
        ([36, 19], 1e-5, 0.1), ([32, 16], 1e-5, 0.9),
    ]
    for training, (shape, epsilon, momentum) in [(True, each) for each in train] + [(False, each) for each in train[:5] + train[8:9]]:
        case = f"batchNorm:{'train' if training else 'eval'}-{size(shape)}"
        channels = shape[1]
        x = leaf(f"{case}.x", shape, 1.5, 0.5)
        weight, bias = leaf(f"{case}.weight", [channels], 0.5, 1), leaf(f"{case}.bias", [channels])
        mean = leaf(f"{case}.runningMean", [channels], 0.5).detach()
        variance = leaf(f"{case}.runningVar", [channels], 0.25, 1).detach()
        mean_after, variance_after = mean.clone(), variance.clone()
        y = F.batch_norm(x, mean_after, variance_after, weight, bias, training, momentum, epsilon)
        roles = dict(x=x, weight=weight, bias=bias, runningMean=mean, runningVar=variance, y=y)
        if training:
            roles["dy"] = backward(case, y)
            roles |= dict(dx=x.grad, dweight=weight.grad, dbias=bias.grad)
            roles |= dict(runningMeanAfter=mean_after, runningVarAfter=variance_after)
        file.add(case, "batchNorm", dict(epsilon=epsilon, momentum=momentum, training=training), roles)
    file.write()


def activations():
    file = CaseFile("ops/activations.safetensors")
    for shape in ([2, 3, 5, 7], [1, 17, 3, 2], [2, 32, 3, 3], [1, 1, 1, 1], [5, 19]):
        x = leaf(f"relu:{size(shape)}.x", shape)
        unary(file, "relu", {}, x, torch.relu, f"relu:{size(shape)}")
    # a gradient at exactly zero is zero
    zeros = torch.tensor(np.where(np.arange(48) % 3, fill("relu:zeros.x", (48,)), 0).reshape(2, 4, 3, 2), dtype=torch.float64)
    unary(file, "relu", {}, zeros.requires_grad_(), torch.relu, "relu:zeros")
    for shape, shared in [([2, 3, 5, 7], True), ([2, 3, 5, 7], False), ([1, 17, 3, 4], False), ([2, 32, 3, 3], True),
                          ([2, 16, 3, 3], False), ([3, 24, 1, 1], False), ([4, 19], True)]:
        case = f"prelu:{'shared' if shared else 'per-channel'}-{size(shape)}"
        x = leaf(f"{case}.x", shape)
        weight = leaf(f"{case}.weight", [1 if shared else shape[1]], 0.1, 0.25)
        y = F.prelu(x, weight)
        dy = backward(case, y)
        file.add(case, "prelu", {}, dict(x=x, weight=weight, dy=dy, y=y, dx=x.grad, dweight=weight.grad))
    file.write()


def pooling():
    file = CaseFile("ops/pooling.safetensors")
    # shape, kernel, stride, padding
    windows = [
        ([2, 3, 8, 8], [3, 3], [2, 2], [1, 1]), ([1, 17, 7, 5], [3, 3], [2, 2], [1, 1]), ([1, 16, 9, 7], [3, 3], [2, 2], [0, 0]),
        ([2, 5, 6, 8], [2, 2], [2, 2], [0, 0]), ([2, 24, 5, 5], [2, 2], [2, 2], [0, 0]), ([1, 3, 7, 9], [2, 3], [1, 2], [1, 0]),
        ([1, 32, 5, 4], [3, 2], [3, 1], [0, 1]), ([1, 5, 6, 6], [5, 5], [1, 1], [2, 2]), ([2, 3, 3, 5], [3, 5], [1, 1], [0, 0]),
        ([1, 16, 1, 1], [3, 3], [2, 2], [1, 1]), ([1, 3, 5, 5], [1, 1], [2, 2], [0, 0]),
    ]
    for number, (shape, kernel, stride, padding) in enumerate(windows):
        attributes = dict(kernel=kernel, stride=stride, padding=padding)
        label = f"{size(shape)}-kernel-{size(kernel)}-stride-{size(stride)}-padding-{size(padding)}"
        case = f"maxPool:{label}"
        # every other case is all negative, so that a padding of zeros would win wrongly
        x = leaf(f"{case}.x", shape, 1, -3 if number % 2 else 0)
        unary(file, "maxPool", attributes, x, lambda x: F.max_pool2d(x, kernel, stride, padding), case)
        for include in (True, False) if any(padding) else (True,):
            case = f"avgPool:{label}{'' if include else '-exclude'}"
            x = leaf(f"{case}.x", shape)
            pool = lambda x: F.avg_pool2d(x, kernel, stride, padding, count_include_pad=include)
            unary(file, "avgPool", attributes | dict(countIncludePad=include), x, pool, case)
    for shape in ([2, 3, 5, 7], [1, 17, 3, 3], [2, 64, 2, 3], [3, 24, 1, 1], [1, 5, 7, 1]):
        case = f"globalAvgPool:{size(shape)}"
        unary(file, "globalAvgPool", {}, leaf(f"{case}.x", shape), lambda x: F.adaptive_avg_pool2d(x, 1), case)
    file.write()


def linear():
    file = CaseFile("ops/linear.safetensors")
    for batch, inputs, outputs, with_bias in [(2, 17, 5, True), (1, 24, 10, True), (3, 16, 32, False), (5, 64, 3, True),
                                              (1, 1, 1, True), (8, 33, 17, False), (7, 5, 24, True)]:
        case = f"linear:{batch}x{inputs}-to-{outputs}{'-bias' if with_bias else ''}"
        x = leaf(f"{case}.x", [batch, inputs])
        weight = leaf(f"{case}.weight", [outputs, inputs], inputs**-0.5)
        bias = leaf(f"{case}.bias", [outputs]) if with_bias else None
        y = F.linear(x, weight, bias)
        dy = backward(case, y)
        file.add(case, "linear", {}, dict(x=x, weight=weight, bias=bias, dy=dy, y=y, dx=x.grad, dweight=weight.grad,
                                          dbias=bias.grad if with_bias else None))
    file.write()


def elementwise():
    """add, bias, flatten."""
    file = CaseFile("ops/elementwise.safetensors")
    for shape in ([2, 3, 5, 7], [1, 17, 3, 3], [2, 32, 2, 3], [4, 19]):
        case = f"add:{size(shape)}"
        a, b = leaf(f"{case}.a", shape), leaf(f"{case}.b", shape)
        y = a + b
        dy = backward(case, y)
        file.add(case, "add", {}, dict(a=a, b=b, dy=dy, y=y, da=a.grad, db=b.grad))
    for shape in ([2, 5, 3, 4], [2, 16, 3, 3]):
        case = f"add:twice-{size(shape)}"
        a = leaf(f"{case}.a", shape)
        y = a + a
        dy = backward(case, y)
        file.add(case, "add", {}, dict(a=a, dy=dy, y=y, da=a.grad))
    for shape in ([2, 3, 5, 7], [1, 17, 3, 3], [2, 32, 2, 2], [3, 24, 1, 1], [4, 19], [1, 16]):
        case = f"bias:{size(shape)}"
        x, bias = leaf(f"{case}.x", shape), leaf(f"{case}.bias", [shape[1]])
        y = x + bias.reshape([1, -1] + [1] * (len(shape) - 2))
        dy = backward(case, y)
        file.add(case, "bias", {}, dict(x=x, bias=bias, dy=dy, y=y, dx=x.grad, dbias=bias.grad))
    for shape in ([2, 3, 5, 7], [2, 17, 3, 2], [1, 32, 1, 1]):
        case = f"flatten:{size(shape)}"
        unary(file, "flatten", {}, leaf(f"{case}.x", shape), lambda x: x.flatten(1), case)
    file.write()


def losses():
    file = CaseFile("ops/losses.safetensors")
    for shape, scale in [([5, 7], 1), ([1, 17], 3), ([4, 32], 30), ([3, 256], 1), ([2, 2], 1), ([6, 24], 0.01)]:
        case = f"logSoftmax:{size(shape)}-scale-{scale}"
        unary(file, "logSoftmax", dict(dim=1), leaf(f"{case}.x", shape, scale), lambda x: F.log_softmax(x, 1), case)
    for batch, classes, ignored in [(5, 7, []), (4, 17, [2]), (1, 32, []), (8, 24, [0, 3, 7])]:
        targets = ((np.arange(batch) * 7 + 3) % classes).astype(np.int32)
        targets[ignored] = -1
        labels = torch.tensor(targets, dtype=torch.int64)
        label = f"{batch}x{classes}{'-ignored-' + '-'.join(map(str, ignored)) if ignored else ''}"
        case = f"nllLoss:{label}"
        x = F.log_softmax(leaf(f"{case}.x", [batch, classes]), 1).detach().float().double().requires_grad_()
        y = F.nll_loss(x, labels, ignore_index=-1)
        dy = backward(case, y)
        file.add(case, "nllLoss", {}, dict(x=x, labels=targets, dy=dy, y=y, dx=x.grad))
        for smoothing in (0, 0.1):
            case = f"softmaxCrossEntropy:{label}{'-smoothing-0.1' if smoothing else ''}"
            x = leaf(f"{case}.x", [batch, classes], 2)
            y = F.cross_entropy(x, labels, ignore_index=-1, label_smoothing=smoothing)
            dy = backward(case, y)
            file.add(case, "softmaxCrossEntropy", dict(labelSmoothing=smoothing), dict(x=x, labels=targets, dy=dy, y=y, dx=x.grad))
    case = "softmaxCrossEntropy:large-logits"
    targets = np.array([0, 5, 11], dtype=np.int32)
    x = leaf(f"{case}.x", [3, 12], 60)
    y = F.cross_entropy(x, torch.tensor(targets, dtype=torch.int64))
    dy = backward(case, y)
    file.add(case, "softmaxCrossEntropy", dict(labelSmoothing=0), dict(x=x, labels=targets, dy=dy, y=y, dx=x.grad))
    file.write()


def generate():
    batch_norm()
    activations()
    pooling()
    linear()
    elementwise()
    losses()
