"""Optimizers: 37 parameters, 50 steps, gradients by formula and a learning rate that changes at every step."""

import torch

from formula import fill
from store import CaseFile

COUNT = 37
STEPS = 50
KEPT = (1, 2, 10, 50)

SGD = [dict(momentum=m, nesterov=n, weightDecay=d) for m, n in ((0, False), (0.9, False), (0.9, True)) for d in (0, 1e-4)]
ADAM = [
    dict(betas=[0.9, 0.999], epsilon=1e-8, weightDecay=0),
    dict(betas=[0.9, 0.999], epsilon=1e-8, weightDecay=1e-4),
    dict(betas=[0.8, 0.95], epsilon=1e-6, weightDecay=0.01),
]
STATE = {"momentum_buffer": "momentumBuffer", "exp_avg": "expAvg", "exp_avg_sq": "expAvgSq"}


def learning_rates(base: float) -> list[float]:
    return [base * (1 + step % 7) / 4 for step in range(STEPS)]


def make(op: str, parameter: torch.Tensor, options: dict) -> torch.optim.Optimizer:
    if op == "sgd":
        return torch.optim.SGD([parameter], lr=0.1, momentum=options["momentum"], nesterov=options["nesterov"],
                               weight_decay=options["weightDecay"])
    kind = torch.optim.AdamW if op == "adamw" else torch.optim.Adam
    return kind([parameter], lr=0.1, betas=tuple(options["betas"]), eps=options["epsilon"], weight_decay=options["weightDecay"])


def run(file: CaseFile, op: str, options: dict, gradient_scale: float, base: float):
    case = ":".join([op] + [f"{key}={value}" for key, value in options.items()] + [f"gradientScale={gradient_scale}"]).replace(" ", "")
    initial = torch.tensor(fill("parameter", (COUNT,)), dtype=torch.float64)
    parameter = initial.clone().requires_grad_()
    optimizer = make(op, parameter, options)
    rates = learning_rates(base)
    roles = {"initial": initial}
    for step in range(1, STEPS + 1):
        optimizer.param_groups[0]["lr"] = rates[step - 1]
        parameter.grad = torch.tensor(fill(f"gradient:{step}", (COUNT,), gradient_scale), dtype=torch.float64)
        optimizer.step()
        if step in KEPT:
            roles[f"step{step}"] = parameter.detach().clone()
    for key, value in optimizer.state[parameter].items():
        if key in STATE and value is not None:
            roles[STATE[key]] = value
    file.add(case, op, options | dict(learningRates=rates, gradientScale=gradient_scale), roles)


def generate():
    file = CaseFile("optimizers.safetensors")
    for options in SGD:
        run(file, "sgd", options, 1, 0.01)
    for op in ("adam", "adamw"):
        for options in ADAM:
            run(file, op, options, 1, 0.001)
        # gradients of about epsilon's size, where its place in the formula shows
        run(file, op, ADAM[0], 1e-7, 0.001)
    file.write()
