"""Golden file of the pixel transforms: what albumentations makes of small pictures, for parameters given here.

Pictures are 64 pixels wide, since OpenCV converts HSV to RGB differently in the last pixels of a row: it cuts the
fraction off in its vector code, which takes 32 pixels at a time, and rounds in the rest.

    python test/golden/python/transforms_pixels.py
"""

import json
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
from albumentations.augmentations.blur.functional import create_gaussian_kernel_1d
from albumentations.augmentations.geometric.functional import resize
from albumentations.augmentations.pixel.functional import add_noise
from safetensors.numpy import save_file

FILE = Path(__file__).resolve().parent.parent / "transforms" / "pixels.safetensors"
HEIGHT, WIDTH = 8, 64


def pictures(random: np.random.Generator) -> dict[str, np.ndarray]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [
        110 + 60 * np.sin(columns / 9 + rows / 5),
        120 + 40 * np.cos(columns / 7),
        90 + 9 * rows + 30 * np.sin(columns / 4),
    ]
    photo = np.stack(waves, -1) + random.normal(0, 4, (HEIGHT, WIDTH, 3))
    dark = np.where(random.random((HEIGHT, WIDTH, 3)) < 0.6, 3, random.integers(0, 40, (HEIGHT, WIDTH, 3)))
    made = {
        "noise": random.integers(0, 256, (HEIGHT, WIDTH, 3)),
        "photo": photo.clip(0, 255),
        "dark": dark,
        "grey": np.repeat((4 * columns + 2 * rows)[..., None].clip(0, 255), 3, -1),
        "flat": np.full((HEIGHT, WIDTH, 3), (200, 31, 90)),
    }
    for height, width in [(1, 1), (1, 5), (3, 2), (7, 4)]:
        made[f"{height}x{width}"] = random.integers(0, 256, (height, width, 3))
    return {name: np.ascontiguousarray(picture.astype(np.uint8)) for name, picture in made.items()}


class Cases:
    def __init__(self, sources: dict[str, np.ndarray]):
        self.sources = sources
        self.tensors = {f"picture.{name}": picture for name, picture in sources.items()}
        self.cases: list[dict] = []

    def add(self, transform: str, picture: str, parameters: dict, result: np.ndarray, **tensors: np.ndarray):
        number = len(self.cases)
        self.tensors[f"{number}"] = np.ascontiguousarray(result)
        for role, tensor in tensors.items():
            self.tensors[f"{number}.{role}"] = np.ascontiguousarray(tensor)
        self.cases.append({"transform": transform, "picture": picture, "parameters": parameters})

    def write(self):
        versions = {
            "albumentations": A.__version__,
            "opencv": cv2.__version__,
            "numpy": np.__version__,
        }
        FILE.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"versions": json.dumps(versions), "cases": json.dumps(self.cases, separators=(",", ":"))}
        save_file(self.tensors, FILE, metadata)
        FILE.chmod(0o644)
        print(f"{len(self.cases)} cases, {FILE.stat().st_size / 1024:.0f} KiB, {versions}")


def brightness_contrast(cases: Cases, random: np.random.Generator):
    transform = A.RandomBrightnessContrast()
    pairs = [(1, 0), (1.2, 51), (0.8, -51), (1.1, -12.75), (0, 0), (0, 77.7), (2, -255), (1, 255), (0.5, 63.75)]
    pairs += [(1 + random.uniform(-1, 1), 255 * random.uniform(-1, 1)) for _ in range(9)]
    for alpha, beta in pairs:
        result = transform.apply(cases.sources["grey"], alpha=alpha, beta=beta)
        cases.add("RandomBrightnessContrast", "grey", {"alpha": alpha, "beta": beta}, result)


def hue_saturation_value(cases: Cases, random: np.random.Generator):
    transform = A.HueSaturationValue()
    shifts = [(0, 0, 0), (20, 0, 0), (-20.7, 0, 0), (0, 30.5, 0), (0, -30.5, 0), (0, 0, 20.9), (0, 0, -20.9)]
    shifts += [(180, 255, 0), (-180, -255, 0), (90, 0, 255)]
    shifts += [tuple(random.uniform(-1, 1, 3) * (180, 120, 120)) for _ in range(6)]
    for index, (hue, sat, val) in enumerate(shifts):
        picture = ["noise", "photo"][index % 2]
        result = transform.apply(cases.sources[picture], hue_shift=hue, sat_shift=sat, val_shift=val)
        cases.add("HueSaturationValue", picture, {"hueShift": hue, "satShift": sat, "valShift": val}, result)


def color_jitter(cases: Cases, random: np.random.Generator):
    transform = A.ColorJitter()
    drawn = [(1, 1, 1, 0), (1.2, 1, 1, 0), (1, 0.8, 1, 0), (1, 1, 1.2, 0), (1, 1, 1, 0.1), (0, 1, 1, 0)]
    drawn += [(1, 0, 1, 0), (1, 1, 0, 0), (1, 1, 1, -0.5), (1, 1, 2.5, 0), (1, 1.9, 1, 0)]
    drawn += [(*random.uniform(0.8, 1.2, 3), random.uniform(-0.5, 0.5)) for _ in range(8)]
    for index, factors in enumerate(drawn):
        picture = ["photo", "noise"][index % 2]
        order = random.permutation(4).tolist()
        names = ["brightness", "contrast", "saturation", "hue"]
        parameters = dict(zip(names, map(float, factors), strict=True)) | {"order": order}
        cases.add("ColorJitter", picture, parameters, transform.apply(cases.sources[picture], **parameters))


def to_gray(cases: Cases):
    for method in ["weighted_average", "from_lab", "desaturation", "average", "max"]:
        for picture in ["noise", "photo"]:
            result = A.ToGray(method=method).apply(cases.sources[picture])
            cases.add("ToGray", picture, {"method": method}, result)


def equalize(cases: Cases):
    for mode in ["cv", "pil"]:
        for by_channels in [True, False]:
            for picture in ["noise", "photo", "dark", "grey", "flat", "1x1", "7x4"]:
                source = cases.sources[picture]
                result = A.Equalize(mode=mode, by_channels=by_channels).apply(source, mask=None)
                cases.add("Equalize", picture, {"mode": mode, "byChannels": by_channels}, result)


def gaussian_blur(cases: Cases):
    transform = A.GaussianBlur()
    kernels = [(0.2, 0), (0.29, 0), (0.5, 0), (1, 0), (1.7, 0), (3, 0), (7, 0), (1, 3), (1, 4), (2, 9)]
    runs = [("noise", kernel) for kernel in kernels] + [("dark", (0.8, 0))]
    runs += [(picture, (sigma, 0)) for picture in ["1x1", "1x5", "3x2", "7x4"] for sigma in (0.6, 3)]
    for picture, (sigma, size) in runs:
        kernel = create_gaussian_kernel_1d(sigma, size)
        result = transform.apply(cases.sources[picture], kernel=kernel)
        cases.add("GaussianBlur", picture, {"sigma": sigma, "size": size}, result)


def gauss_noise(cases: Cases, random: np.random.Generator):
    """The enlargement of noise drawn for a smaller picture, and the sum; the noise itself is random."""
    for picture in ["photo", "7x4"]:
        source = cases.sources[picture]
        for channels, factor in [(3, 0.5), (1, 0.3), (3, 0.01)]:
            small = [max(1, int(side * factor)) for side in source.shape[:2]]
            noise = random.normal(5, 40, (*small, 3)).astype(np.float32)
            if channels == 1:
                noise[..., 1:] = noise[..., :1]
            result = add_noise(source, resize(noise, source.shape[:2], cv2.INTER_LINEAR))
            parameters = {"channels": channels, "height": small[0], "width": small[1]}
            cases.add("GaussNoise", picture, parameters, result, noise=noise[..., :channels])


def coarse_dropout(cases: Cases):
    holes = [[0, 0, 5, 3], [60, 5, 64, 8], [20, 2, 20, 6], [30, 0, 40, 8], [35, 4, 50, 5]]
    for fill in [0, 128.9, (10, 200, 77)]:
        result = A.CoarseDropout(fill=fill).apply(cases.sources["photo"], holes=np.array(holes), seed=0)
        cases.add("CoarseDropout", "photo", {"fill": fill, "holes": holes}, result)


def generate():
    random = np.random.default_rng(20)
    cases = Cases(pictures(random))
    brightness_contrast(cases, random)
    hue_saturation_value(cases, random)
    color_jitter(cases, random)
    to_gray(cases)
    equalize(cases)
    gaussian_blur(cases)
    gauss_noise(cases, random)
    coarse_dropout(cases)
    cases.write()


if __name__ == "__main__":
    generate()
