"""Writes golden files: cases with their tensors as .safetensors, plain numbers as .json."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

FOLDER = Path(__file__).resolve().parent.parent


class CaseFile:
    """Collects cases {id, op, attributes, tensors: role -> tensor name} for one .safetensors file."""

    def __init__(self, path: str):
        self.path = FOLDER / path
        self.cases: list[dict] = []
        self.tensors: dict[str, np.ndarray] = {}

    def add(self, case_id: str, op: str, attributes: dict, roles: dict[str, torch.Tensor | np.ndarray | None]):
        if any(case["id"] == case_id for case in self.cases):
            raise ValueError(f"case {case_id} exists twice in {self.path.name}")
        names = {}
        for role, value in roles.items():
            if value is None:
                continue
            name = f"{case_id}.{role}"
            names[role] = name
            self.tensors[name] = rounded(value)
        self.cases.append({"id": case_id, "op": op, "attributes": attributes, "tensors": names})

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        save_file(self.tensors, self.path, {"cases": json.dumps(self.cases, separators=(",", ":"))})
        self.path.chmod(0o644)
        print(f"{self.path.relative_to(FOLDER)}: {len(self.cases)} cases, {self.path.stat().st_size / 1024:.0f} KiB")


def rounded(value: torch.Tensor | np.ndarray) -> np.ndarray:
    """float64 results become float32 here and nowhere before; labels stay int32."""
    array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    array = np.ascontiguousarray(array) if array.ndim else array.copy()
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int32)
    if not np.isfinite(array).all():
        raise ValueError("a golden value is not finite")
    return array.astype(np.float32)


def write_json(path: str, value: object):
    file = FOLDER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(f"{path}: {file.stat().st_size / 1024:.0f} KiB")
