"""Clipping of gradients as torch.nn.utils does it, over two parameters whose gradients come by formula."""

import torch

from formula import fill
from store import CaseFile, rounded, write_json

SHAPES = {"weight": (5, 7), "bias": (5,)}


def gradients(scale: float) -> dict[str, torch.nn.Parameter]:
    result = {}
    for name, shape in SHAPES.items():
        parameter = torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64))
        parameter.grad = torch.tensor(fill(f"gradient:{name}", shape, scale), dtype=torch.float64)
        result[name] = parameter
    return result


def generate():
    file = CaseFile("gradients.safetensors")
    for scale in (1, 1e-3):
        for limit in (0.5, 100):
            parameters = gradients(scale)
            norm = torch.nn.utils.clip_grad_norm_(parameters.values(), limit)
            roles = {name: parameter.grad for name, parameter in parameters.items()} | {"norm": norm.reshape(1)}
            file.add(f"clipNorm:{scale}:{limit}", "clipGradientNorm", dict(limit=limit, gradientScale=scale), roles)
        for limit in (0.1, 2e-4):
            parameters = gradients(scale)
            torch.nn.utils.clip_grad_value_(parameters.values(), limit)
            roles = {name: parameter.grad for name, parameter in parameters.items()}
            file.add(f"clipValue:{scale}:{limit}", "clipGradientValue", dict(limit=limit, gradientScale=scale), roles)
    file.write()
    scaler()


def scaler():
    """Adam under torch.amp.GradScaler, some of whose steps overflow."""
    count, interval = 37, 3
    overflows = [0, 1, 6, 11, 12, 13, 20]
    parameter = torch.nn.Parameter(torch.tensor(fill("parameter", (count,)), dtype=torch.float32))
    optimizer = torch.optim.Adam([parameter], lr=0.01)
    scale = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=interval)
    steps = []
    for step in range(24):
        gradient = torch.tensor(fill(f"gradient:{step}", (count,)), dtype=torch.float32)
        if step in overflows:
            gradient[step] = float("inf")
        optimizer.zero_grad()
        scale.scale((parameter * gradient).sum()).backward()
        scale.step(optimizer)
        scale.update()
        steps.append(dict(overflow=step in overflows, scale=scale.get_scale(), parameter=rounded(parameter).tolist()))
    write_json("loss-scaler.json", dict(initial=1024, growthInterval=interval, count=count, rate=0.01, steps=steps))
