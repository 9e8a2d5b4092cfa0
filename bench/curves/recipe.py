"""PyTorch's run of experiment 1 or 2 on a dataset that `resnode preprocess` made, for a curve beside ours.

    python bench/curves/recipe.py DATA --experiment 1 --epochs 10 --out pytorch.json

The same network, optimizer, schedule and augmentation (albumentations, OpenCV), validation on the central crop;
weights and draws are its own. Prints a line an epoch; the time of each epoch includes loading and validation.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "golden" / "python"))
from models.resnet import PreActResNet  # noqa: E402

STAGES = {1: [(128, 2), (256, 2), (512, 2), (1024, 2)], 2: [(128, 1), (256, 2), (512, 2), (1024, 1)]}


def pipelines(crop: int, mean: list[float], std: list[float], plain: bool) -> tuple[A.Compose, A.Compose]:
    normalize = A.Normalize(mean=mean, std=std, max_pixel_value=1.0)
    original = [
        A.ShiftScaleRotate(rotate_limit=(-15, -15), border_mode=cv2.BORDER_REPLICATE, p=0.5),
        A.OneOf([
            A.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=0.1, brightness_by_max=True, p=0.5),
            A.Equalize(mode="cv", by_channels=True, p=0.5),
        ], p=0.5),
    ]
    train = [A.HorizontalFlip(p=0.5), *([] if plain else original), A.RandomCrop(crop, crop), normalize]
    return A.Compose(train), A.Compose([A.CenterCrop(crop, crop), normalize])


class Pictures(Dataset):
    def __init__(self, data: Path, split: str, transform: A.Compose):
        with open(data / f"{split}.csv", newline="") as file:
            self.rows = [(data / split / Path(row["image"]).name, int(row["class"])) for row in csv.DictReader(file)]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int):
        path, label = self.rows[index]
        pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        return torch.from_numpy(self.transform(image=pixels)["image"].transpose(2, 0, 1).copy()), label


def initialise(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.normal_(model.head["fc"].weight, std=0.01)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--experiment", type=int, choices=(1, 2), default=1)
    parser.add_argument("--plain", action="store_true", help="crop and flip only")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--crop", type=int, default=112)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(0)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    described = json.loads((options.data / "dataset.json").read_text())
    statistics = [[described[key][channel] for channel in "RGB"] for key in ("mean", "std")]
    train_pipeline, val_pipeline = pipelines(options.crop, *statistics, options.plain)
    train = DataLoader(Pictures(options.data, "train", train_pipeline), options.batch, shuffle=True, drop_last=True, num_workers=1)
    val = DataLoader(Pictures(options.data, "val", val_pipeline), options.batch, num_workers=1)
    model = PreActResNet(STAGES[options.experiment], described["classes"]).to(memory_format=torch.channels_last)
    initialise(model)
    if options.experiment == 1:
        optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9, weight_decay=1e-4, nesterov=True)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", 0.5, 3, threshold=0.01)
    else:
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5, 1e-5)
    history = []
    for epoch in range(1, options.epochs + 1):
        started, rate = time.time(), optimizer.param_groups[0]["lr"]
        loss, right = run(model, train, optimizer)
        seconds = time.time() - started
        val_loss, val_right = run(model, val, None)
        if options.experiment == 1:
            schedule.step(val_right)
        else:
            schedule.step()
        history.append({
            "epoch": epoch, "loss": loss, "trainAccuracy": right, "valLoss": val_loss, "valAccuracy": val_right,
            "learningRate": rate, "trainSeconds": seconds, "seconds": time.time() - started,
        })
        print(f"epoch={epoch}, loss={loss:.4f}, val acc={val_right:.3f}, train acc={right:.3f}, lr={rate:.4g}, {time.time() - started:.0f} s", flush=True)
        if options.out:
            options.out.write_text(json.dumps(history, indent=1))


def run(model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer | None) -> tuple[float, float]:
    """Mean loss and accuracy in percent over a pass; trains where there is an optimizer."""
    model.train(optimizer is not None)
    total, right, count = 0.0, 0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for images, labels in loader:
            images = images.contiguous(memory_format=torch.channels_last)
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            if optimizer:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(labels)
            right += int((logits.argmax(1) == labels).sum())
            count += len(labels)
    return total / count, 100 * right / count


main()
