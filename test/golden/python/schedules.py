"""Learning-rate schedules: the rate in force during each of 200 epochs."""

import math

import torch
from torch.optim import lr_scheduler as schedulers

from store import write_json

EPOCHS = 200


def optimizer(lr: float, momentum: float = 0.9) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=lr, momentum=momentum)


def follow(sgd: torch.optim.SGD, scheduler, metrics: list[float] | None = None, changes: dict[int, float] | None = None) -> dict:
    """Records what is in force during an epoch, then steps as a training loop does at the epoch's end.

    After that many epochs, `changes` sets eta_min by hand."""
    rates, momenta = [], []
    for epoch in range(EPOCHS):
        if changes and epoch in changes:
            scheduler.eta_min = changes[epoch]
        rates.append(float(sgd.param_groups[0]["lr"]))
        momenta.append(float(sgd.param_groups[0]["momentum"]))
        sgd.step()
        if epoch < EPOCHS - 1:
            scheduler.step(*([] if metrics is None else [metrics[epoch]]))
    recorded = {"learningRates": rates}
    return recorded | ({"momenta": momenta} if len(set(momenta)) > 1 else {})


def accuracy() -> list[float]:
    """Per cent: rises, flattens, shakes, and jumps twice late."""
    return [round(50 * (1 - math.exp(-epoch / 20)) + 2.5 * math.sin(epoch * 1.7) + (6 if epoch >= 78 else 0) + (5 if epoch >= 150 else 0), 3)
            for epoch in range(EPOCHS)]


def plateau(name: str, lr: float, metrics: str, mode="max", factor=0.5, patience=3, threshold=0.01,
            threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8) -> dict:
    sgd = optimizer(lr)
    scheduler = schedulers.ReduceLROnPlateau(sgd, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps)
    options = dict(mode=mode, factor=factor, patience=patience, threshold=threshold, thresholdMode=threshold_mode,
                   cooldown=cooldown, minLr=min_lr, epsilon=eps)
    return {"id": name, "schedule": "reduceLrOnPlateau", "lr": lr, "options": options, "metrics": metrics} | follow(sgd, scheduler, METRICS[metrics])


def plain(name: str, schedule: str, lr: float, options: dict, make, changes: dict[int, float] | None = None) -> dict:
    sgd = optimizer(lr)
    return {"id": name, "schedule": schedule, "lr": lr, "options": options} | follow(sgd, make(sgd), changes=changes)


PERCENT = accuracy()
LOSS = [round(5 - value / 20, 4) for value in PERCENT]
METRICS = {
    "percent": PERCENT,
    "fraction": [round(value / 100, 5) for value in PERCENT],
    "loss": LOSS,
    "negative": [-value for value in LOSS],
    "constant": [50.0] * EPOCHS,
}


def plateaus() -> list[dict]:
    return [
        plateau("plateau-max-rel", 0.01, "percent"),
        plateau("plateau-max-abs", 0.01, "fraction", threshold_mode="abs"),
        plateau("plateau-max-abs-percent", 0.01, "percent", threshold_mode="abs"),
        plateau("plateau-patience-0", 0.01, "percent", patience=0),
        plateau("plateau-patience-4", 0.01, "percent", patience=4),
        plateau("plateau-cooldown", 0.01, "percent", patience=1, cooldown=4),
        plateau("plateau-min-lr", 0.01, "percent", patience=1, min_lr=1e-3),
        plateau("plateau-epsilon", 1e-7, "percent", patience=0, factor=0.3),
        plateau("plateau-min-rel", 0.1, "loss", mode="min", factor=0.1),
        plateau("plateau-min-abs", 0.1, "loss", mode="min", threshold=0.05, threshold_mode="abs", cooldown=2),
        plateau("plateau-constant", 0.01, "constant"),
        plateau("plateau-negative", 0.01, "negative"),
    ]


def cosines() -> list[dict]:
    cases = []
    for t_max, eta_min in ((200, 0), (5, 1e-5), (20, 1e-4), (1, 1e-4), (7, 0), (150, 1e-6)):
        cases.append(plain(f"cosine-{t_max}", "cosineAnnealing", 0.001, dict(tMax=t_max, etaMin=eta_min),
                           lambda sgd: schedulers.CosineAnnealingLR(sgd, t_max, eta_min)))
    # eta_min changed by hand: at a peak as in the original, on the way down, at the bottom, on the way up
    for t_max, epoch in ((5, 50), (5, 53), (5, 55), (5, 57), (40, 95), (200, 0), (200, 120)):
        options = dict(tMax=t_max, etaMin=1e-5, etaMinAfter=dict(epoch=epoch, etaMin=1e-7))
        cases.append(plain(f"cosine-{t_max}-changed-{epoch}", "cosineAnnealing", 0.001, options,
                           lambda sgd: schedulers.CosineAnnealingLR(sgd, t_max, 1e-5), {epoch: 1e-7}))
    for t_0, t_mult, eta_min in ((5, 1, 0), (4, 2, 1e-4), (3, 3, 0), (200, 1, 0), (1, 2, 1e-5)):
        cases.append(plain(f"warm-restarts-{t_0}-{t_mult}", "cosineAnnealingWarmRestarts", 0.05,
                           dict(t0=t_0, tMult=t_mult, etaMin=eta_min),
                           lambda sgd: schedulers.CosineAnnealingWarmRestarts(sgd, t_0, t_mult, eta_min)))
    return cases


def factors() -> list[dict]:
    cases = []
    for step, gamma in ((10, 0.5), (7, 0.9), (30, 0.1), (1, 0.97)):
        cases.append(plain(f"step-{step}", "step", 0.1, dict(stepSize=step, gamma=gamma),
                           lambda sgd: schedulers.StepLR(sgd, step, gamma)))
    for milestones in ([15, 30, 40], [1, 2, 199], [60, 60, 120]):
        cases.append(plain(f"multi-step-{milestones[0]}", "multiStep", 0.1, dict(milestones=milestones, gamma=0.1),
                           lambda sgd: schedulers.MultiStepLR(sgd, milestones, 0.1)))
    for start, end, length in ((0.1, 1, 8), (1, 0.01, 200), (1 / 3, 1, 5), (0.001, 0.5, 60), (1, 0, 100)):
        cases.append(plain(f"linear-{start:.3g}-{end:.3g}", "linear", 0.1, dict(startFactor=start, endFactor=end, totalIters=length),
                           lambda sgd: schedulers.LinearLR(sgd, start, end, length)))
    for gamma in (0.93, 0.99, 1.0):
        cases.append(plain(f"exponential-{gamma}", "exponential", 0.1, dict(gamma=gamma), lambda sgd: schedulers.ExponentialLR(sgd, gamma)))
    for length, power in ((200, 1.0), (150, 2.0), (5, 0.5), (90, 0.9)):
        cases.append(plain(f"polynomial-{length}-{power}", "polynomial", 0.1, dict(totalIters=length, power=power),
                           lambda sgd: schedulers.PolynomialLR(sgd, length, power)))
    return cases


def cycles() -> list[dict]:
    cases = []
    sets = [
        dict(),
        dict(annealStrategy="linear", pctStart=0.2),
        dict(threePhase=True, pctStart=0.4),
        dict(threePhase=True, annealStrategy="linear", pctStart=0.25, divFactor=10.0, finalDivFactor=100.0),
        dict(pctStart=0.01),
        dict(pctStart=1.0),
        dict(cycleMomentum=False, maxLr=0.4),
        dict(baseMomentum=0.8, maxMomentum=0.9, pctStart=0.45, finalDivFactor=1.0),
    ]
    usual = dict(maxLr=0.1, totalSteps=EPOCHS, pctStart=0.3, annealStrategy="cos", divFactor=25.0, finalDivFactor=1e4,
                 threePhase=False, cycleMomentum=True, baseMomentum=0.85, maxMomentum=0.95)
    for number, each in enumerate(sets):
        o = usual | each
        cases.append(plain(f"one-cycle-{number}", "oneCycle", 0.1, o, lambda sgd: schedulers.OneCycleLR(
            sgd, o["maxLr"], total_steps=o["totalSteps"], pct_start=o["pctStart"], anneal_strategy=o["annealStrategy"],
            cycle_momentum=o["cycleMomentum"], base_momentum=o["baseMomentum"], max_momentum=o["maxMomentum"],
            div_factor=o["divFactor"], final_div_factor=o["finalDivFactor"], three_phase=o["threePhase"])))
    return cases


def sequences() -> list[dict]:
    part = {
        "warm": ({"name": "linear", "startFactor": 0.01, "totalIters": 5}, lambda sgd: schedulers.LinearLR(sgd, 0.01, 1, 5)),
        "cosine-195": ({"name": "cosineAnnealing", "tMax": 195}, lambda sgd: schedulers.CosineAnnealingLR(sgd, 195)),
        "cosine-5": ({"name": "cosineAnnealing", "tMax": 5, "etaMin": 1e-5}, lambda sgd: schedulers.CosineAnnealingLR(sgd, 5, 1e-5)),
        "cosine-5-lower": ({"name": "cosineAnnealing", "tMax": 5, "etaMin": 1e-7}, lambda sgd: schedulers.CosineAnnealingLR(sgd, 5, 1e-7)),
        "multi-step": ({"name": "multiStep", "milestones": [20, 35], "gamma": 0.1}, lambda sgd: schedulers.MultiStepLR(sgd, [20, 35], 0.1)),
        "step": ({"name": "step", "stepSize": 10, "gamma": 0.5}, lambda sgd: schedulers.StepLR(sgd, 10, 0.5)),
        "restarts": ({"name": "cosineAnnealingWarmRestarts", "t0": 10, "tMult": 2, "etaMin": 1e-5},
                     lambda sgd: schedulers.CosineAnnealingWarmRestarts(sgd, 10, 2, 1e-5)),
        "exponential": ({"name": "exponential", "gamma": 0.95}, lambda sgd: schedulers.ExponentialLR(sgd, 0.95)),
        "polynomial": ({"name": "polynomial", "totalIters": 60, "power": 2}, lambda sgd: schedulers.PolynomialLR(sgd, 60, 2)),
    }
    followed = [
        (["warm", "cosine-195"], [5]), (["warm", "multi-step"], [5]), (["warm", "step"], [5]), (["warm", "restarts"], [5]),
        (["cosine-5", "cosine-5-lower"], [50]), (["cosine-5", "cosine-5-lower"], [48]),
        (["warm", "step", "exponential", "polynomial"], [5, 60, 130]), (["restarts", "warm", "cosine-5"], [25, 30]),
    ]
    cases = []
    for names, milestones in followed:
        options = dict(milestones=milestones, schedules=[part[each][0] for each in names])
        cases.append(plain(f"{'-then-'.join(names)}-{milestones[0]}", "sequential", 0.1, options,
                           lambda sgd: schedulers.SequentialLR(sgd, [part[each][1](sgd) for each in names], milestones)))
    return cases


def generate():
    cases = plateaus() + cosines() + factors() + cycles() + sequences()
    for case in cases:
        if case["schedule"] == "reduceLrOnPlateau":
            print(f"  {case['id']}: {len(set(case['learningRates']))} rates")
        # one number stands for all the epochs that go on with it
        for key in ("learningRates", "momenta"):
            if key in case:
                case[key] = runs(case[key])
    write_json("schedules.json", {"torch": torch.__version__, "epochs": EPOCHS, "metrics": METRICS, "cases": cases})


def runs(values: list[float]) -> list:
    """[value, count] where a value stays, plain values elsewhere."""
    packed: list = []
    for value in values:
        if packed and isinstance(packed[-1], list) and packed[-1][0] == value:
            packed[-1][1] += 1
        elif packed and packed[-1] == value:
            packed[-1] = [value, 2]
        else:
            packed.append(value)
    return packed
