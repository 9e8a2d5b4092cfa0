"""Learning-rate schedules: the rate in force during each of 50 epochs."""

import math

import torch
from torch.optim import lr_scheduler as schedulers

from store import write_json

EPOCHS = 50


def optimizer(lr: float, momentum: float = 0.9) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=lr, momentum=momentum)


def follow(sgd: torch.optim.SGD, scheduler, metrics: list[float] | None = None) -> dict:
    """Records what is in force during an epoch, then steps as a training loop does at the epoch's end."""
    rates, momenta = [], []
    for epoch in range(EPOCHS):
        rates.append(float(sgd.param_groups[0]["lr"]))
        momenta.append(float(sgd.param_groups[0]["momentum"]))
        sgd.step()
        if epoch < EPOCHS - 1:
            scheduler.step(*([] if metrics is None else [metrics[epoch]]))
    recorded = {"learningRates": rates}
    return recorded | ({"momenta": momenta} if len(set(momenta)) > 1 else {})


def accuracy() -> list[float]:
    """Per cent: rises, flattens, shakes, and jumps once late."""
    return [round(60 * (1 - math.exp(-epoch / 8)) + 2.5 * math.sin(epoch * 1.7) + (6 if epoch >= 38 else 0), 3) for epoch in range(EPOCHS)]


def plateau(name: str, lr: float, metrics: list[float], mode="max", factor=0.5, patience=3, threshold=0.01,
            threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8) -> dict:
    sgd = optimizer(lr)
    scheduler = schedulers.ReduceLROnPlateau(sgd, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps)
    options = dict(mode=mode, factor=factor, patience=patience, threshold=threshold, thresholdMode=threshold_mode,
                   cooldown=cooldown, minLr=min_lr, epsilon=eps)
    return {"id": name, "schedule": "reduceLrOnPlateau", "lr": lr, "options": options, "metrics": metrics} | follow(sgd, scheduler, metrics)


def plain(name: str, schedule: str, lr: float, options: dict, make) -> dict:
    sgd = optimizer(lr)
    return {"id": name, "schedule": schedule, "lr": lr, "options": options} | follow(sgd, make(sgd))


def generate():
    percent = accuracy()
    fraction = [round(value / 100, 5) for value in percent]
    loss = [round(5 - value / 20, 4) for value in percent]
    cases = [
        plateau("plateau-max-rel", 0.01, percent),
        plateau("plateau-max-abs", 0.01, fraction, threshold_mode="abs"),
        plateau("plateau-max-abs-percent", 0.01, percent, threshold_mode="abs"),
        plateau("plateau-patience-0", 0.01, percent, patience=0),
        plateau("plateau-patience-4", 0.01, percent, patience=4),
        plateau("plateau-cooldown", 0.01, percent, patience=1, cooldown=4),
        plateau("plateau-min-lr", 0.01, percent, patience=1, min_lr=1e-3),
        plateau("plateau-epsilon", 1e-7, percent, patience=0, factor=0.3),
        plateau("plateau-min-rel", 0.1, loss, mode="min", factor=0.1),
        plateau("plateau-min-abs", 0.1, loss, mode="min", threshold=0.05, threshold_mode="abs", cooldown=2),
        plateau("plateau-constant", 0.01, [50.0] * EPOCHS),
        plateau("plateau-negative", 0.01, [-value for value in loss]),
    ]
    for t_max, eta_min in ((50, 0), (5, 1e-5), (20, 1e-4)):
        cases.append(plain(f"cosine-{t_max}", "cosineAnnealing", 0.001, dict(tMax=t_max, etaMin=eta_min),
                           lambda sgd: schedulers.CosineAnnealingLR(sgd, t_max, eta_min)))
    for t_0, t_mult, eta_min in ((5, 1, 0), (4, 2, 1e-4), (3, 3, 0)):
        cases.append(plain(f"cosine-restarts-{t_0}-{t_mult}", "cosineWarmRestarts", 0.05, dict(t0=t_0, tMult=t_mult, etaMin=eta_min),
                           lambda sgd: schedulers.CosineAnnealingWarmRestarts(sgd, t_0, t_mult, eta_min)))
    for step, gamma in ((10, 0.1), (7, 0.5)):
        cases.append(plain(f"step-{step}", "step", 0.1, dict(stepSize=step, gamma=gamma),
                           lambda sgd: schedulers.StepLR(sgd, step, gamma)))
    for milestones in ([15, 30, 40], [1, 2, 49]):
        cases.append(plain(f"multi-step-{milestones[0]}", "multiStep", 0.1, dict(milestones=milestones, gamma=0.1),
                           lambda sgd: schedulers.MultiStepLR(sgd, milestones, 0.1)))
    for anneal, three_phase, start in (("cos", False, 0.3), ("linear", False, 0.2), ("cos", True, 0.4)):
        options = dict(maxLr=0.1, totalSteps=EPOCHS, pctStart=start, annealStrategy=anneal, threePhase=three_phase,
                       divFactor=25, finalDivFactor=1e4, cycleMomentum=True, baseMomentum=0.85, maxMomentum=0.95)
        cases.append(plain(f"one-cycle-{anneal}{'-three-phase' if three_phase else ''}", "oneCycle", 0.1, options,
                           lambda sgd: schedulers.OneCycleLR(sgd, 0.1, total_steps=EPOCHS, pct_start=start, anneal_strategy=anneal,
                                                             three_phase=three_phase)))
    cases.append(plain("linear", "linear", 0.1, dict(startFactor=0.1, endFactor=1, totalIters=8),
                       lambda sgd: schedulers.LinearLR(sgd, 0.1, 1, 8)))
    cases.append(plain("linear-down", "linear", 0.1, dict(startFactor=1, endFactor=0.01, totalIters=50),
                       lambda sgd: schedulers.LinearLR(sgd, 1, 0.01, 50)))
    cases.append(plain("exponential", "exponential", 0.1, dict(gamma=0.93), lambda sgd: schedulers.ExponentialLR(sgd, 0.93)))

    warm = {"schedule": "linear", "options": dict(startFactor=0.01, endFactor=1, totalIters=5)}
    followers = [
        ("cosine", {"schedule": "cosineAnnealing", "options": dict(tMax=45, etaMin=0)}, lambda sgd: schedulers.CosineAnnealingLR(sgd, 45)),
        ("multi-step", {"schedule": "multiStep", "options": dict(milestones=[20, 35], gamma=0.1)}, lambda sgd: schedulers.MultiStepLR(sgd, [20, 35], 0.1)),
        ("step", {"schedule": "step", "options": dict(stepSize=10, gamma=0.5)}, lambda sgd: schedulers.StepLR(sgd, 10, 0.5)),
    ]
    for name, description, make in followers:
        options = dict(milestones=[5], schedules=[warm, description])
        cases.append(plain(f"warm-up-{name}", "sequential", 0.1, options,
                           lambda sgd: schedulers.SequentialLR(sgd, [schedulers.LinearLR(sgd, 0.01, 1, 5), make(sgd)], [5])))
    for case in cases:
        if case["schedule"] == "reduceLrOnPlateau":
            print(f"  {case['id']}: {len(set(case['learningRates']))} rates")
    write_json("schedules.json", {"epochs": EPOCHS, "cases": cases})
