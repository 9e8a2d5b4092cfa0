"""Loads a checkpoint into timm's ResNetV2 and compares its logits with those that bench/interop/logits.ts wrote.

python bench/interop/load_in_timm.py CHECKPOINT LOGITS.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
from safetensors.torch import load_file
from timm.layers import BatchNormAct2d, create_conv2d
from timm.models.resnetv2 import ResNetV2

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "golden" / "python"))
from formula import fill  # noqa: E402

checkpoint, logits = sys.argv[1:3]
ours = json.loads(Path(logits).read_text())
channels, layers = zip(*ours["stages"])
model = ResNetV2(layers=layers, channels=channels, num_classes=ours["classes"], stem_type="", preact=True,
                 conv_layer=create_conv2d, norm_layer=BatchNormAct2d)
tensors = {name: value for name, value in load_file(checkpoint).items() if not name.startswith("optimizer.")}
result = model.load_state_dict(tensors, strict=False)
print(f"timm {timm.__version__}: missing {result.missing_keys}, unexpected {result.unexpected_keys}")
images = torch.from_numpy(fill("images", (ours["batchSize"], 3, ours["pixels"], ours["pixels"])))
with torch.inference_mode():
    theirs = model.eval()(images).numpy().ravel()
difference = np.abs(theirs - np.array(ours["logits"]))
print(f"{len(theirs)} logits up to {np.abs(theirs).max():.3f}: largest difference {difference.max():.2e}")
sys.exit(0 if difference.max() <= 1e-4 and not result.missing_keys and not result.unexpected_keys else 1)
