"""Optimizers with a schedule: 200 steps of a softmax regression, biases with and without weight decay."""

import torch
from torch.optim import lr_scheduler as schedulers

from formula import fill
from store import write_json

BATCH, FEATURES, CLASSES = 24, 10, 4
STEPS = 200
KEPT = (1, 20, 100, 200)
STATE = {"momentum_buffer": "momentum", "exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.tensor(fill(f"batch:{step}", (BATCH, FEATURES)), dtype=torch.float64)
    labels = torch.tensor([((step * BATCH + place) * 7 + 3) % CLASSES for place in range(BATCH)])
    # something to learn: a feature tells the class
    return images + 0.5 * torch.nn.functional.one_hot(labels, FEATURES), labels


def one_cycle(optimizer, **options):
    return schedulers.OneCycleLR(optimizer, 0.1, total_steps=STEPS, **options)


def warm(optimizer):
    return schedulers.LinearLR(optimizer, 0.1, 1, 20)


def sequence(*makers, milestones):
    return lambda optimizer: schedulers.SequentialLR(optimizer, [make(optimizer) for make in makers], milestones)


CASES = [
    ("sgd-one-cycle", 0.1, dict(kind="sgd", momentum=0.9, nesterov=True, weightDecay=0.02, noDecay=True),
     dict(name="oneCycle"), one_cycle),
    ("sgd-cosine", 0.05, dict(kind="sgd", momentum=0.9, nesterov=False, weightDecay=0.02, noDecay=False),
     dict(name="cosine", by="step", tMax=40, etaMin=1e-4, etaMinAfter=dict(epoch=65, etaMin=1e-5)), lambda o: schedulers.CosineAnnealingLR(o, 40, 1e-4)),
    ("sgd-plain", 0.1, dict(kind="sgd", momentum=0, nesterov=False, weightDecay=0, noDecay=False),
     dict(name="step", by="step", stepSize=50, gamma=0.5), lambda o: schedulers.StepLR(o, 50, 0.5)),
    ("adam-restarts", 0.01, dict(kind="adam", weightDecay=0.02, noDecay=True),
     dict(name="warmRestarts", by="step", t0=30, tMult=2), lambda o: schedulers.CosineAnnealingWarmRestarts(o, 30, 2)),
    ("adam-defaults", 0.001, dict(kind="adam"), dict(name="constant"), lambda o: None),
    ("adamw-warm-exponential", 0.01, dict(kind="adamw", weightDecay=0.1, noDecay=True),
     dict(name="exponential", by="step", gamma=0.99, warmup=dict(steps=20, startFactor=0.1)),
     sequence(warm, lambda o: schedulers.ExponentialLR(o, 0.99), milestones=[20])),
    ("adamw-coupled-biases", 0.01, dict(kind="adamw", weightDecay=0.1, noDecay=False, beta1=0.8, beta2=0.95, epsilon=1e-6),
     dict(name="polynomial", by="step", power=2), lambda o: schedulers.PolynomialLR(o, STEPS, 2)),
    ("adam-one-cycle", 0.1, dict(kind="adam", weightDecay=0.02, noDecay=True), dict(name="oneCycle"), one_cycle),
    ("adamw-one-cycle-three-phases", 0.1, dict(kind="adamw", weightDecay=0.1, noDecay=True, beta1=0.8, beta2=0.95, epsilon=1e-6),
     dict(name="oneCycle", threePhase=True, annealStrategy="linear", baseMomentum=0.5, maxMomentum=0.99),
     lambda o: one_cycle(o, three_phase=True, anneal_strategy="linear", base_momentum=0.5, max_momentum=0.99)),
    ("adamw-one-cycle-rate-alone", 0.1, dict(kind="adamw", weightDecay=0.1, noDecay=True),
     dict(name="oneCycle", cycleMomentum=False), lambda o: one_cycle(o, cycle_momentum=False)),
    ("adamw-defaults", 0.001, dict(kind="adamw"), dict(name="constant"), lambda o: None),
]


def make(options: dict, lr: float, weight: torch.Tensor, bias: torch.Tensor) -> torch.optim.Optimizer:
    names = {"momentum": "momentum", "nesterov": "nesterov", "weightDecay": "weight_decay", "epsilon": "eps"}
    given = {names[key]: value for key, value in options.items() if key in names}
    if "beta1" in options:
        given["betas"] = (options["beta1"], options["beta2"])
    groups = [dict(params=[weight]), dict(params=[bias], **({"weight_decay": 0.0} if options.get("noDecay") else {}))]
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[options["kind"]]
    return kind(groups, lr=lr, **given)


def run(name: str, lr: float, options: dict, schedule: dict, scheduler_of) -> dict:
    weight = torch.tensor(fill("weight", (CLASSES, FEATURES), 0.3), dtype=torch.float64).requires_grad_()
    bias = torch.tensor(fill("bias", (CLASSES,), 0.3), dtype=torch.float64).requires_grad_()
    optimizer = make(options, lr, weight, bias)
    scheduler = scheduler_of(optimizer)
    after, losses = {}, []
    for step in range(1, STEPS + 1):
        images, labels = batch(step)
        loss = torch.nn.functional.cross_entropy(torch.nn.functional.linear(images, weight, bias), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if scheduler and step < STEPS:
            scheduler.step()
            change = schedule.get("etaMinAfter")
            if change and change["epoch"] == step:
                scheduler.eta_min = change["etaMin"]
        if step in KEPT:
            after[step] = {"weight": rounded(weight), "bias": rounded(bias)}
    states = {"weight": optimizer.state[weight], "bias": optimizer.state[bias]}
    state = {f"{ours}.{of}": rounded(values[key]) for key, ours in STATE.items() for of, values in states.items() if values.get(key) is not None}
    print(f"  {name}: loss {losses[0]:.4f} to {sum(losses[-10:]) / 10:.4f}")
    return dict(id=name, lr=lr, optimizer=options, schedule=schedule, after=after, state=state)


def rounded(values: torch.Tensor) -> list[float]:
    return [float(f"{value:.9g}") for value in values.detach().flatten().tolist()]


def generate():
    write_json("training.json", {"torch": torch.__version__, "steps": STEPS, "batch": BATCH, "features": FEATURES, "classes": CLASSES,
                                 "cases": [run(*case) for case in CASES]})
