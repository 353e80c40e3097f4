#!/usr/bin/env python3
"""A run of `claims-quick` in one small file, from which reports/tests/claims.rs computes the verdicts of docs/claims.md again: the rows
that rules read, and the predictions without probabilities.

usage: scripts/make-fixtures/claims-run.py RUN > reports/tests/fixtures/claims-run.json.gz
"""

import csv
import gzip
import io
import json
import pathlib
import sys

KEPT = {"examples", "floor", "train_examples", "fit_s", "latency_p50_s", "wall_s"}
SCORES = {"accuracy", "accuracy_train", "mse", "mse_train"}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def text(found):
    out = io.StringIO()
    writer = csv.DictWriter(out, found[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def is_read(row):
    return row["metric"] in KEPT or (row["phase"] == "score" and row["metric"] in SCORES)


def main():
    run = pathlib.Path(sys.argv[1])
    predictions = {}
    for path in sorted((run / "predictions").glob("*.csv")):
        answers = rows(path)
        for answer in answers:
            answer["probabilities"] = ""
        predictions[path.name] = text(answers)
    stored = {
        "run.json": (run / "run.json").read_text(),
        "records.csv": text([row for row in rows(run / "records.csv") if is_read(row)]),
        "predictions": predictions,
    }
    sys.stdout.buffer.write(gzip.compress(json.dumps(stored).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
