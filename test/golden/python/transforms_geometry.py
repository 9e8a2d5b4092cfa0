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
        metadata = {"cases": json.dumps(self.cases), "versions": json.dumps(VERSIONS)}
        save_file(self.tensors, path, metadata)
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


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    affine()
    shift_scale_rotate()
