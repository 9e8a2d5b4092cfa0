"""The Python side of the picture benchmarks, in one thread: OpenCV + albumentations.

load: decode, random crop, flip, normalise (what the loader does). prepare: decode, resize the smaller side, encode
(what preprocess does). Speaks the lines of serve.py; a step is one picture.
"""

import argparse
import itertools
from pathlib import Path

import cv2

from serve import serve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["load", "prepare"], required=True)
    parser.add_argument("--pictures", required=True, help="a folder, read recursively")
    parser.add_argument("--size", type=int, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    files = itertools.cycle(sorted(Path(options.pictures).rglob("*.jpg")))
    version = f"OpenCV {cv2.__version__}"
    if options.mode == "load":
        import albumentations as A

        version += f", albumentations {A.__version__}"
        pipeline = A.Compose([A.RandomCrop(options.size, options.size), A.HorizontalFlip(p=0.5), A.Normalize()])

    def load() -> None:
        picture = cv2.cvtColor(cv2.imread(str(next(files))), cv2.COLOR_BGR2RGB)
        pipeline(image=picture)["image"].transpose(2, 0, 1).copy()

    def prepare() -> None:
        picture = cv2.imread(str(next(files)))
        height, width = picture.shape[:2]
        factor = options.size / min(height, width)
        size = (round(width * factor), round(height * factor))
        resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, 95])

    step = load if options.mode == "load" else prepare
    serve(step, version)


main()
