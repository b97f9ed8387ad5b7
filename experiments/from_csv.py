"""The JSON of a sweep again, for `tensorial report`, from its truncations.csv and the spectra of the same network.

tensorial analyze MODEL.onnx --json spectra.json
python3 experiments/from_csv.py spectra.json TRUNCATIONS.csv "cifar10 (test)" analysis.json
tensorial report analysis.json page.html --csv tables --figures figures

What the CSV does not hold, kernel by kernel what a truncation of all of them came to, is missing.
"""

import csv
import json
import sys

NUMBERS = ("normLoss", "retainedEnergy", "relativeNormLoss", "top1", "top5", "loss")


def result(row):
    rank = int(row["rank"]) if row["rank"] else None
    made = {name: float(row[name]) for name in NUMBERS}
    made |= {"layer": row["layer"], "cut": row["cut"], "rank": rank, "rule": row["rule"]}
    made |= {"samples": int(row["samples"]), "parameters": int(row["parameters"]), "kernels": []}
    if row["layer"] != "all" and rank is not None:
        made["kernels"] = [
            {
                "layer": row["layer"],
                "cuts": [row["cut"]],
                "ranks": [rank],
                "ranksAfter": [rank],
                "crossing": False,
                "parameters": made["parameters"],
                "normLoss": made["normLoss"],
                "relativeNormLoss": made["relativeNormLoss"],
            }
        ]
    return made


def main(spectra, table, data, out):
    report = json.load(open(spectra))
    report["truncations"] = [result(row) for row in csv.DictReader(open(table))]
    report["plannedTruncations"] = len(report["truncations"])
    whole = next(t for t in report["truncations"] if t["normLoss"] == 0)
    report["baseline"] = {name: whole[name] for name in ("samples", "top1", "top5", "loss")}
    report["provenance"]["data"] = {"description": data, "split": "test", "samples": whole["samples"], "fingerprint": ""}
    json.dump(report, open(out, "w"))


if __name__ == "__main__":
    main(*sys.argv[1:])
