"""A few values of the formula, for the test of the TypeScript side."""

from formula import digest, fill, fnv1a, labels
from store import write_json

NAMES = ["stem.conv.weight", "stages.1.blocks.0.norm2.weight", "images:0", "probe:head.fc.bias", "éß漢", ""]


def generate():
    cases = []
    for number, name in enumerate(NAMES):
        count, scale, offset = [1000, 7, 4099, 1, 16, 0][number], [1, 0.1, 0.3333333333333333, 0.1, 0.02, 1][number], [0, 1, 0, 0, 0.25, 0][number]
        values = fill(name, (count,), scale, offset)
        case = {"name": name, "hash": fnv1a(name), "count": count, "scale": scale, "offset": offset}
        case["first"] = [float(value) for value in values[:5]]
        case["last"] = [float(value) for value in values[-5:]]
        if count:
            case["digest"] = digest(name, values)
        cases.append(case)
    write_json("formula.json", {"cases": cases, "labels": {"first": 8, "classes": 10, "values": labels(8, 12, 10).tolist()}})
