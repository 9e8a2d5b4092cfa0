"""Loss curves, PyTorch's side: the same network, weights and batches as bench/curves/resnode.ts left in FOLDER."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "golden" / "python"))
from models.resnet import PreActResNet, cifar_stages  # noqa: E402


def main() -> None:
    folder = Path(sys.argv[1])
    ours = json.loads((folder / "resnode.json").read_text())
    depth = int(ours["model"].removeprefix("cifar-resnet"))
    bottleneck = sum("conv3" in name for name in load_file(folder / "initial.safetensors")) > 0
    model = PreActResNet(cifar_stages(depth, bottleneck), ours["classes"], "cifar", 16, bottleneck)
    missing, unexpected = model.load_state_dict(load_file(folder / "initial.safetensors"), strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    sgd = torch.optim.SGD(model.parameters(), ours["learningRate"], 0.9, weight_decay=1e-4, nesterov=True)
    batch, crop = ours["batchSize"], ours["crop"]
    pixels = batch * 3 * crop * crop
    losses = []
    with open(folder / "batches.bin", "rb") as file:
        for _ in range(ours["steps"]):
            images = torch.from_numpy(np.fromfile(file, np.float32, pixels).reshape(batch, 3, crop, crop))
            labels = torch.from_numpy(np.fromfile(file, np.int32, batch)).long()
            sgd.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            sgd.step()
            losses.append(loss.item())
    a, b = np.array(ours["losses"]), np.array(losses)
    (folder / "pytorch.json").write_text(json.dumps(losses))
    print("step  resnode  PyTorch")
    for step in sorted({0, 1, 2, 5, 10, 20, 50, 100, 150, len(a) - 1} & set(range(len(a)))):
        print(f"{step + 1:4d}  {a[step]:.4f}   {b[step]:.4f}")
    print(f"first 10 steps: largest difference {np.abs(a - b)[:10].max():.2e}")
    for start in range(0, len(a), 50):
        print(f"mean of steps {start + 1}-{start + 50}: {a[start:start + 50].mean():.4f} and {b[start:start + 50].mean():.4f}")
    print(f"correlation of the curves {np.corrcoef(a, b)[0, 1]:.5f}")


main()
