"""Makes test/golden/transforms/: what albumentations makes of a picture for given parameters.

    pip install albumentations==2.0.8 opencv-python-headless==5.0.0.93 numpy==2.4.6 safetensors==0.8.0
    python test/golden/python/transforms_geometry.py
"""

import json
import random
import warnings
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
from albumentations.augmentations.geometric import functional as fgeometric
from safetensors.numpy import save_file

FOLDER = Path(__file__).resolve().parent.parent / "transforms"
INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "reflect101": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
}
FOLDING = (cv2.BORDER_REFLECT, cv2.BORDER_REFLECT_101, cv2.BORDER_WRAP)
VERSIONS = {"albumentations": A.__version__, "opencv": cv2.__version__, "numpy": np.__version__}


def picture(height: int, width: int) -> np.ndarray:
    """The test picture: slopes with a quarter of noise, the same to the byte as in golden-picture.ts."""
    index = np.arange(height * width * 3, dtype=np.uint64)
    x = (index * 2654435761 + 12345) & 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x7FEB352D) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x846CA68B) & 0xFFFFFFFF
    x ^= x >> 16
    noise = (x >> 24).astype(np.int64)
    row, column, channel = np.unravel_index(index.astype(np.int64), (height, width, 3))
    slope = (row * 17 + column * 11 + channel * 60) % 510
    slope = np.where(slope > 255, 510 - slope, slope)
    return ((3 * slope + noise) >> 2).astype(np.uint8).reshape(height, width, 3)


class File:
    def __init__(self, name: str):
        self.name = name
        self.cases: list[dict] = []
        self.tensors: dict[str, np.ndarray] = {}

    def add(self, transform: str, options: dict, size: tuple[int, int], params: dict, pixels: np.ndarray):
        case_id = str(len(self.cases))
        self.tensors[case_id] = np.ascontiguousarray(pixels)
        self.cases.append({"id": case_id, "transform": transform, "options": options, "size": size, "params": params})

    def write(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{self.name}.safetensors"
        # one key: the order of several is not always the same
        content = json.dumps({"versions": VERSIONS, "cases": self.cases})
        save_file(self.tensors, path, {"content": content})
        path.chmod(0o644)
        print(f"{path.name}: {len(self.cases)} cases, {path.stat().st_size / 1024:.0f} KiB")


def run(transform: A.DualTransform, image: np.ndarray) -> tuple[dict, dict, np.ndarray]:
    """Draws and applies; the parameters that albumentations drew, and the arguments of its matrix, if any."""
    matrix_arguments = {}
    original = fgeometric.create_affine_transformation_matrix

    def record(translate, shear, scale, rotate, shift):
        matrix_arguments.setdefault("translate", dict(translate))
        matrix_arguments.setdefault("shear", dict(shear))
        matrix_arguments.setdefault("scale", dict(scale))
        matrix_arguments.setdefault("rotate", rotate)
        return original(translate, shear, scale, rotate, shift)

    fgeometric.create_affine_transformation_matrix = record
    try:
        params = transform.get_params()
        params.update({"shape": image.shape, "rows": image.shape[0], "cols": image.shape[1]})
        params.update(transform.get_params_dependent_on_data(params, {"image": image}))
    finally:
        fgeometric.create_affine_transformation_matrix = original
    return params, matrix_arguments, transform.apply(image, **params)


def far_beyond(matrix: np.ndarray, height: int, width: int) -> bool:
    """Whether pixels come from so far beyond the edges that OpenCV 5.0.0's cubic warp stops short, a defect."""
    x, y, _ = np.linalg.inv(matrix) @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    return x.min() < -14 or y.min() < -14 or x.max() > width + 14 or y.max() > height + 14


def affine():
    rng = random.Random(5)
    for interpolation, flag in INTERPOLATIONS.items():
        file = File(f"affine-{interpolation}")
        for border, mode in BORDERS.items():
            options = {"interpolation": interpolation, "borderMode": border, "fill": [10, 120, 250]}
            common = {"interpolation": flag, "border_mode": mode, "fill": (10.0, 120.0, 250.0), "p": 1}
            ranges = [
                {"rotate": (-15, -15), "scale": (0.9, 1.1), "translate_percent": (-0.0625, 0.0625)},
                {"rotate": (-180, 180), "scale": (0.2, 3)},
                {"shear": (-50, 50), "translate_px": (-9, 9)},
                {"rotate": (-45, 45), "shear": {"x": (-20, 20)}, "scale": (0.5, 2), "keep_ratio": True},
                {"translate_px": {"x": 5, "y": -3}},
                {"scale": {"x": 2, "y": 0.5}},
                {"rotate": 90},
                {"rotate": (-360, 360), "translate_percent": (-3, 3), "scale": (0.05, 0.3)},
            ]
            sizes = [(17, 22), (15, 13), (14, 16), (16, 12), (9, 11), (8, 12), (24, 20), (13, 7)]
            for size, drawn_from in zip(sizes, ranges):
                transform = A.Affine(**drawn_from, **common)
                transform.set_random_seed(rng.randrange(1000))
                image = picture(*size)
                drawn, params, pixels = run(transform, image)
                if interpolation == "cubic" and mode in FOLDING and far_beyond(drawn["matrix"], *size):
                    continue
                file.add("Affine", options, size, params, pixels)
            for size in [(1, 1), (1, 6), (7, 1), (2, 2)]:
                # OpenCV 5.0.0 never returns from these
                if interpolation == "cubic" and border == "reflect101" and 1 in size:
                    continue
                transform = A.Affine(rotate=(-60, 60), scale=(0.5, 2), translate_percent=(-1, 1), **common)
                transform.set_random_seed(rng.randrange(1000))
                image = picture(*size)
                _, params, pixels = run(transform, image)
                file.add("Affine", options, size, params, pixels)
        file.write()


def shift_scale_rotate():
    file = File("shift-scale-rotate")
    for seed in range(2):
        transform = A.ShiftScaleRotate(rotate_limit=(-15, -15), border_mode=cv2.BORDER_REPLICATE, p=1)
        transform.set_random_seed(seed)
        image = picture(64, 48 + seed * 17)
        _, params, pixels = run(transform, image)
        options = {"rotateLimit": [-15, -15], "borderMode": "replicate"}
        file.add("ShiftScaleRotate", options, image.shape[:2], params, pixels)
    file.write()


def resizes():
    for interpolation, flag in INTERPOLATIONS.items():
        file = File(f"resize-{interpolation}")
        for source, target in [
            ((20, 24), (10, 12)),
            ((13, 11), (20, 27)),
            ((23, 31), (16, 18)),
            ((40, 9), (7, 21)),
            ((12, 16), (24, 32)),
            ((1, 1), (6, 5)),
            ((1, 7), (5, 4)),
            ((30, 33), (1, 1)),
            ((64, 90), (5, 7)),
            ((9, 9), (27, 18)),
            ((16, 16), (16, 20)),
        ]:
            transform = A.Resize(height=target[0], width=target[1], interpolation=flag, p=1)
            _, _, pixels = run(transform, picture(*source))
            options = {"height": target[0], "width": target[1], "interpolation": interpolation}
            file.add("Resize", options, source, {"height": target[0], "width": target[1]}, pixels)
        for source, side in [((20, 31), 14), ((33, 10), 15), ((16, 21), 8)]:
            transform = A.SmallestMaxSize(max_size=side, interpolation=flag, p=1)
            _, _, pixels = run(transform, picture(*source))
            file.add("SmallestMaxSize", {"maxSize": side, "interpolation": interpolation}, source, side, pixels)
        for seed, source in enumerate([(30, 40), (41, 29), (8, 60), (60, 7), (1, 1), (3, 2)]):
            transform = A.RandomResizedCrop(size=(14, 17), interpolation=flag, p=1)
            transform.set_random_seed(seed)
            drawn, _, pixels = run(transform, picture(*source))
            params = window(drawn["crop_coords"])
            file.add("RandomResizedCrop", {"size": [14, 17], "interpolation": interpolation}, source, params, pixels)
        file.write()


def window(coords: tuple[int, int, int, int]) -> dict:
    left, top, right, bottom = (int(value) for value in coords)
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def exact():
    """Flips, crops and paddings."""
    file = File("exact")
    for size in [(7, 9), (8, 6), (1, 1)]:
        image = picture(*size)
        file.add("HorizontalFlip", {}, size, {}, run(A.HorizontalFlip(p=1), image)[2])
        file.add("VerticalFlip", {}, size, {}, run(A.VerticalFlip(p=1), image)[2])
    for size, crop in [((12, 15), (5, 6)), ((9, 8), (4, 5)), ((7, 7), (7, 7)), ((10, 4), (1, 4))]:
        options = {"height": crop[0], "width": crop[1]}
        file.add("CenterCrop", options, size, {}, run(A.CenterCrop(*crop, p=1), picture(*size))[2])
        transform = A.RandomCrop(*crop, p=1)
        transform.set_random_seed(sum(size))
        drawn, _, pixels = run(transform, picture(*size))
        file.add("RandomCrop", options, size, window(drawn["crop_coords"]), pixels)
    for border, mode in BORDERS.items():
        for size, position in [
            ((6, 9), "center"),
            ((5, 20), "top_left"),
            ((20, 4), "bottom_right"),
            ((3, 2), "top_right"),
            ((1, 1), "bottom_left"),
            ((4, 5), "random"),
        ]:
            fill = (10.0, 120.0, 250.0)
            transform = A.PadIfNeeded(
                min_height=11, min_width=14, position=position, border_mode=mode, fill=fill, p=1
            )
            pad(file, transform, size, {"minHeight": 11, "minWidth": 14, "position": position, "borderMode": border})
        transform = A.PadIfNeeded(
            min_height=None, min_width=None, pad_height_divisor=8, pad_width_divisor=5, border_mode=mode, fill=fill, p=1
        )
        pad(file, transform, (13, 10), {"padHeightDivisor": 8, "padWidthDivisor": 5, "borderMode": border})
    file.write()


def pad(file: File, transform: A.PadIfNeeded, size: tuple[int, int], options: dict):
    transform.set_random_seed(3)
    drawn, _, pixels = run(transform, picture(*size))
    sides = {side: int(drawn[f"pad_{side}"]) for side in ("top", "bottom", "left", "right")}
    file.add("PadIfNeeded", {**options, "fill": [10, 120, 250]}, size, sides, pixels)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    affine()
    shift_scale_rotate()
    resizes()
    exact()
