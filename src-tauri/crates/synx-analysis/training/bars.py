#!/usr/bin/env python3
"""bars.py MANIFEST.csv,EVIDENCE.jsonl ... [--write SRC]: trains how many beats a bar has and which of them is the first.

Takes what material.py made, with and without `metres`; evidence with --plain is enough. Manifests without `sig` have it from
their style. Figures are cross-validated with whole styles left out; a manifest after `--judge` is only judged. Only pieces
whose beats were found count, as nothing else can be right. Needs numpy and scipy."""
import csv, json, os, sys
import numpy as np
from cases import hits
from material import METRES, STYLES
from model import Cases, platt, train
from train import curve, logit

SHRINK = 0.01
# Music in four is by far the most common: with this its pieces count three to four times what all others do.
FOUR_WEIGHT = 1.5


def bar_of(row):
    """Beats that are tapped in a bar: two of a 6/8."""
    if row.get("sig"):
        return {"6/8": 2}.get(row["sig"], int(row["sig"].split("/")[0]))
    return (STYLES | METRES)[row["group"].split("-", 1)[1]][2]


def load(manifest, evidence):
    rows, found = {r["file"]: r for r in csv.DictReader(open(manifest))}, []
    for line in map(json.loads, open(evidence)):
        row = rows[line["file"]]
        path = os.path.join(os.path.dirname(manifest), "beats", row["beats"] or "-")
        if not os.path.isfile(path) or not line["evidence"] or not line["evidence"][0]["bars"]:
            continue
        beats, take = np.array([float(t.split()[0]) for t in open(path) if t.strip()]), line["evidence"][0]
        best = max(take["tempo"], key=lambda t: hits(np.array(t[2]), beats))
        bar, period = bar_of(row), 60.0 / float(row["bpm"])
        bars = take["bars"]
        spacing = np.median(np.diff(sorted({b[1] for b in bars})))
        if abs(spacing / period - 1) > 0.04:
            continue
        downs = beats[::bar]
        length = np.array([b[0] for b in bars])
        down = np.array([abs((b[1] - downs[0] + bar * period / 2) % (bar * period) - bar * period / 2) < 0.1 for b in bars])
        right = (length == bar) & down
        if right.any():
            style = row["group"].split("-", 1)[-1]
            weight = FOUR_WEIGHT if bar == 4 else 1.0
            x = np.array([b[2] for b in bars])
            found.append(dict(x=x, right=right, length=length, bar=bar, style=style, file=line["file"], weight=weight))
    return found


def judge(weights, cases):
    rows = []
    for case, p in zip(cases, Cases(cases).shares(weights)):
        p = p[: len(case["x"])]
        shares = {b: p[case["length"] == b].sum() for b in set(case["length"])}
        bar = max(shares, key=shares.get)
        inside = np.where(case["length"] == bar, p, 0)
        rows.append((case, bar == case["bar"], case["right"][inside.argmax()], shares[bar], inside.max() / shares[bar]))
    return rows


def report(name, rows):
    print(f"{name}: bar {100 * np.mean([r[1] for r in rows]):.1f} % of {len(rows)}, downbeat {100 * np.mean([r[2] for r in rows]):.1f} %")
    for bar in sorted({r[0]["bar"] for r in rows}):
        of = [r for r in rows if r[0]["bar"] == bar]
        print(f"    {bar}: bar {100 * np.mean([r[1] for r in of]):.1f} % of {len(of)}, downbeat {100 * np.mean([r[2] for r in of]):.1f} %")


def write(path, weights, calibration):
    cells = [f"{w:.4f}" for w in weights]
    lines = "\n".join("    " + ", ".join(cells[i : i + 8]) + "," for i in range(0, len(cells), 8))
    with open(os.path.join(path, "tempo/metre_weights.rs"), "w") as out:
        out.write("//! Weights of the decision about the bar, written by `training/bars.py`. Do not edit by hand.\n\n")
        out.write("/// One weight for each of the features, in their order.\n#[rustfmt::skip]\n")
        out.write(f"pub(crate) const WEIGHTS: [f32; {len(cells)}] = [\n{lines}\n];\n\n")
        out.write("/// Slope and offset that make a share of the softmax a confidence.\n")
        out.write(f"pub(crate) const CALIBRATION: (f64, f64) = ({calibration[0]:.4f}, {calibration[1]:.4f});\n")


def main():
    given, folder, judged = sys.argv[1:], None, []
    if "--write" in given:
        at = given.index("--write")
        folder = given[at + 1]
        del given[at : at + 2]
    if "--judge" in given:
        at = given.index("--judge")
        judged = load(*given[at + 1].split(","))
        del given[at : at + 2]
    cases = [c for paths in given for c in load(*paths.split(","))]
    styles = sorted({c["style"] for c in cases})
    rows = []
    for style in styles:
        weights = train([c for c in cases if c["style"] != style], SHRINK)
        rows += judge(weights, [c for c in cases if c["style"] == style])
    report("cross-validated by style", rows)
    for style in styles:
        of = [r for r in rows if r[0]["style"] == style]
        print(f"    {style}: {sum(r[1] for r in of)} and {sum(r[2] for r in of)} of {len(of)}")
    weights = train(cases, SHRINK)
    if judged:
        report("judged only", judge(weights, judged))
    p, right = np.array([r[3] for r in rows]), np.array([r[1] for r in rows])
    slope, offset = platt(p, right)
    print(f"calibrated by {slope:.3f} x logit + {offset:.3f}")
    print(curve(1 / (1 + np.exp(-slope * logit(p) - offset)), right))
    if folder:
        write(folder, weights, (slope, offset))


if __name__ == "__main__":
    main()
