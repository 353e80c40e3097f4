"""How often Apache Otava and asv are wrong about the made-up nights of reports/benches/nights, and how soon they find what is there.

Each tool judges every night anew, from the series up to that night, with the settings that it has by default. It alerts if it reports a
change that it did not report the night before: none of the night before lies within five nights of it. What a tool reports is

- Otava: a change point of `compute_change_points(series, window_len=50, max_pvalue=0.001, min_magnitude=...)`. It is given the
  last 150 nights, three of its windows. Its default magnitude is 0; a user can set another one.
- asv: a regression of `detect_regressions(detect_steps(series), threshold=0.05)`, which is what `asv publish` shows. asv knows no
  improvements, so series that fall are turned over (1 / value), and in quiet nights its alerts are those to larger numbers only.

usage: compare.py FOLDER [--machines N] [--changes N] [--jobs N]
"""

import argparse
import json
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

warnings.filterwarnings("ignore", category=RuntimeWarning)

from asv.step_detect import detect_regressions, detect_steps  # noqa: E402
from otava.analysis import compute_change_points  # noqa: E402

SAME_CHANGE = 5
LONGEST = 150


def otava(least_magnitude):
    def changes(values):
        start = max(0, len(values) - LONGEST)
        found, _ = compute_change_points(values[start:], window_len=50, max_pvalue=0.001, min_magnitude=least_magnitude)
        return [start + point.index for point in found]

    return changes


def asv(values):
    _, _, regressions = detect_regressions(detect_steps(values), threshold=0.05)
    return [after for _, after, _, _ in regressions or []]


TOOLS = {
    "Otava, as installed": otava(0.0),
    "Otava, magnitude 5 %": otava(0.05),
    "asv": asv,
}


def judge(task):
    """The nights from `first` on with an alert, and where each alert places its change."""
    tool, kind, series = task
    values = series["values"]
    if tool == "asv" and not series["up"]:
        values = [1 / value for value in values]
    first, last = series["first"], len(values)
    before, alerts = TOOLS[tool](values[:first]), []
    for night in range(first, last):
        now = TOOLS[tool](values[: night + 1])
        new = [place for place in now if all(abs(place - old) > SAME_CHANGE for old in before)]
        if new:
            alerts.append((night, new[-1]))
        before = now
    return kind, series["machine"], first, alerts


def read(folder, kind):
    with open(folder / f"{kind}.jsonl") as file:
        return [json.loads(line) for line in file]


def percent(count, of):
    return f"{100 * count / of:.1f} %"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--machines", type=int, default=10, help="quiet machines of 100 nights and 200 series")
    parser.add_argument("--changes", type=int, default=1000, help="series of each change")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    quiet = [series for series in read(arguments.folder, "quiet") if series["machine"] < arguments.machines]
    changes = {kind: read(arguments.folder, kind)[: arguments.changes] for kind in ["step", "drift", "spike"]}
    nights = sum({one["machine"]: len(one["values"]) - one["first"] for one in quiet}.values())
    print(f"{nights} quiet nights, {arguments.changes} series of each change\n")
    print("| | quiet nights with an alert | false alerts a night | 5 % step found in 3 nights | in 10 | in 28 | placed within one night | drift of 1 % a week found in 28 nights | spikes with an alert |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for tool in TOOLS:
            tasks = [(tool, "quiet", one) for one in quiet]
            tasks += [(tool, kind, one) for kind in changes for one in changes[kind]]
            found = list(pool.map(judge, tasks, chunksize=20))
            print("| " + " | ".join([tool, *columns(found, nights)]) + " |", flush=True)


def columns(found, nights):
    of_kind = lambda kind: [(machine, first, alerts) for name, machine, first, alerts in found if name == kind]
    alerts = [(machine, night) for machine, _, alerts in of_kind("quiet") for night, _ in alerts]
    # The first alert whose change lies near the true one.
    near = [
        next(((night - first + 1, place) for night, place in alerts if abs(place - first) <= 10), None)
        for _, first, alerts in of_kind("step")
    ]
    of_steps = len(near)
    within = lambda limit: sum(one is not None and one[0] <= limit for one in near)
    placed = sum(one is not None and abs(one[1] - first) <= 1 for one, (_, first, _) in zip(near, of_kind("step")))
    # A drift has no place: any alert from its beginning on counts.
    drifts = [min((night - first + 1 for night, _ in alerts), default=None) for _, first, alerts in of_kind("drift")]
    spikes = [alerts for _, _, alerts in of_kind("spike")]
    return [
        percent(len(set(alerts)), nights),
        f"{len(alerts) / nights:.2f}",
        percent(within(3), of_steps),
        percent(within(10), of_steps),
        percent(within(28), of_steps),
        percent(placed, of_steps),
        percent(sum(one is not None and one <= 28 for one in drifts), len(drifts)),
        percent(sum(bool(one) for one in spikes), len(spikes)),
    ]


if __name__ == "__main__":
    sys.exit(main())
