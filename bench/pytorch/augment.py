"""The Python side of the augmentation benchmarks, in one thread: albumentations + OpenCV.

Takes transforms as a JSON list in our names and options. Speaks the lines of serve.py; a step is one picture:
decoded, transformed, in planes. With --times it prints the milliseconds of each transform instead.
"""

import argparse
import itertools
import json
import re
import time
import warnings
from pathlib import Path

import albumentations as A
import cv2

from serve import serve

BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "reflect101": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
}


def translate(spec: dict) -> A.BasicTransform | A.BaseCompose:
    """Our HorizontalFlip({ p: 0.5 }) as A.HorizontalFlip(p=0.5)."""
    options = {re.sub("([A-Z])", lambda found: "_" + found[1].lower(), key): value for key, value in spec["options"].items()}
    for key, value in options.items():
        if key == "transforms":
            options[key] = [translate(child) for child in value]
        elif key == "border_mode":
            options[key] = BORDERS[value]
        elif isinstance(value, list):
            options[key] = tuple(value)
    return getattr(A, spec["name"])(**options)


def decode(file: Path):
    return cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)


def print_times(transforms: list, files: list[Path]) -> None:
    pictures = [decode(file) for file in files[:200]]
    times = []
    for transform in transforms:
        for picture in pictures[:60]:
            transform(image=picture)
        start = time.perf_counter()
        for picture in pictures:
            transform(image=picture)
        times.append(1e3 * (time.perf_counter() - start) / len(pictures))
    print(json.dumps(times))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", required=True, help="a folder, read recursively")
    parser.add_argument("--transforms", required=True, help="JSON: [{name, options}]")
    parser.add_argument("--times", action="store_true", help="time each transform and end")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    # 0 is OpenCV's word for no threads beside the calling one
    cv2.setNumThreads(0)
    files = sorted(Path(options.pictures).rglob("*.jpg"))
    transforms = [translate(spec) for spec in json.loads(options.transforms)]
    if options.times:
        print_times(transforms, files)
        return
    pipeline = A.Compose(transforms)
    endless = itertools.cycle(files)

    def step() -> None:
        pipeline(image=decode(next(endless)))["image"].transpose(2, 0, 1).copy()

    version = f"OpenCV {cv2.__version__}, albumentations {A.__version__}"
    serve(step, version)


main()
