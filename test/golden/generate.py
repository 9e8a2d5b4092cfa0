"""Makes the golden files: python test/golden/generate.py [ops] [optimizers] [gradients] [schedules] [training] [formula] [report] [networks [NAME ...]]"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

import torch

import conv
import formula_file
import gradients
import networks
import ops
import optimizers
import report_metrics
import schedules
import training

PARTS = {
    "ops": lambda: (conv.generate(), ops.generate()),
    "optimizers": optimizers.generate,
    "gradients": gradients.generate,
    "schedules": schedules.generate,
    "training": training.generate,
    "formula": formula_file.generate,
    "report": report_metrics.generate,
    "networks": networks.generate,
}

if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    wanted = sys.argv[1:] or list(PARTS)
    if wanted[0] == "networks":
        networks.generate(wanted[1:])
    else:
        for part in wanted:
            PARTS[part]()
