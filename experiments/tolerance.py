"""Which cuts bear how much norm loss for a point of accuracy: the last table of `tensorial analyze --data`, from its truncations.csv alone.

python3 experiments/tolerance.py TRUNCATIONS.csv [DROP]      DROP in points of top-1, 1 by default
"""

import csv
import sys
from collections import defaultdict

LOSSES = (0.1, 0.2, 0.3, 0.5)


def ranks(values):
    """Places in order, from 1; equal values share the mean of theirs."""
    return [
        sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2
        for value in values
    ]


def spearman(x, y):
    a, b = ranks(x), ranks(y)
    mean = (len(x) + 1) / 2
    spread = (sum((v - mean) ** 2 for v in a) * sum((v - mean) ** 2 for v in b)) ** 0.5
    return sum((v - mean) * (w - mean) for v, w in zip(a, b)) / spread if len(x) > 2 and spread else None


def main(path, drop):
    measured, places = defaultdict(list), {}
    for row in csv.DictReader(open(path)):
        if row["layer"] == "all" or "," in row["cut"]:
            continue
        places.setdefault(row["layer"], len(places))
        images = int(row["samples"])
        lost = round(-float(row["top1Change"]) * images)
        measured[row["cut"], row["layer"]].append((float(row["normLoss"]), lost <= int(drop / 100 * images + 1e-6)))
    borne = defaultdict(dict)
    for (cut, layer), points in measured.items():
        borne[cut][places[layer]] = 0.0
        for loss, within in sorted(points):
            if not within:
                break
            borne[cut][places[layer]] = loss
    print("cut      kernels  " + "  ".join(f"bear {100 * loss:.0f} %" for loss in LOSSES) + "  mean norm loss  correlation with depth")
    for cut, kernels in sorted(borne.items(), key=lambda c: -sum(c[1].values()) / len(c[1])):
        show(cut, list(kernels.values()), kernels)
    means = {k: [v[k] for cut, v in borne.items() if cut != "o|i" and k in v] for k in places.values()}
    show("all", [v for values in means.values() for v in values], {k: sum(v) / len(v) for k, v in means.items() if v})


def show(cut, values, by_place):
    correlation = spearman(list(by_place), list(by_place.values()))
    counts = "  ".join(f"{sum(v >= loss for v in values):9d}" for loss in LOSSES)
    print(f"{cut:8s} {len(values):7d}  {counts}  {sum(values) / len(values):14.3f}  " + ("–" if correlation is None else f"{correlation:.2f}"))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
