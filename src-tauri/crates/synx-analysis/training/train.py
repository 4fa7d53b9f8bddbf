#!/usr/bin/env python3
"""train.py NAME=MANIFEST.csv,EVIDENCE.jsonl ... [--write SRC]: trains what the analysis decides by weights.

Names: `open` (labelled recordings that the figures are about), `made` (material.py) and `negatives` (negatives.py). README.md says how the files come about and what came out. Every figure printed is from
leave-one-family-out cross-validation on `open`: no file is judged by weights that saw its family. With --write the weights
trained on everything are written as Rust source below SRC. Needs numpy and scipy."""
import os, sys
import numpy as np
from cases import load
from model import Cases, logistic, logit, platt, train

# How much a take counts, by source: the more alike its takes are to music at large, the more.
TEMPO_WEIGHTS = {"open": 5.0, "made": 1.0}
KEY_WEIGHTS = {"open": 1.0, "made": 0.05}
SHRINK = {"tempo": 0.01, "key": 0.005, "presence": 0.001}
# An answer withheld from music is worse than one given to noise by this factor.
PRESENCE_FAVOUR = {"tempo": 20.0, "key": 6.0}


def family(case):
    return case["group"].split("-")[0]


def chosen(case, p):
    """Index of the answer and its probability: both phases of a tempo count for it, the likelier one gives the beats."""
    if "bpm" not in case:
        return int(p.argmax()), float(p.max())
    near = np.log(case["bpm"])
    sums = np.array([p[abs(near - n) < 0.015].sum() for n in near])
    best = np.where(sums > sums.max() - 1e-9)[0]
    return int(best[p[best].argmax()]), float(sums.max())


def decisions(weights, cases):
    shares = Cases(cases).shares(weights)
    return [(case, *chosen(case, p[: len(case["x"])])) for case, p in zip(cases, shares)]


def is_right(case, i):
    return bool(case.get("tempo_right", case["right"])[i])


def cross_validated(cases, others, shrink):
    found = []
    for name in sorted({family(c) for c in cases}):
        rest = [c for c in cases if family(c) != name]
        found += decisions(train(rest + others, shrink), [c for c in cases if family(c) == name])
    return found


def share(values):
    values = list(values)
    return f"{100 * np.mean(values):5.1f} % of {len(values)}" if values else "none"


def mirex(wanted, got):
    """MIREX's weights: 1 the same, 0.5 a fifth above, 0.3 the relative, 0.2 the parallel key."""
    if wanted == got:
        return 1.0
    up = (got[0] - wanted[0]) % 12
    if wanted[1] == got[1]:
        return 0.5 if up == 7 else 0.0
    return 0.2 if up == 0 else 0.3 if up == (9 if wanted[1] == "major" else 3) else 0.0


def curve(p, right):
    """Share right by confidence: (confidence, share, count)"""
    edges = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01]
    rows = []
    for low, high in zip(edges, edges[1:]):
        inside = (p >= low) & (p < high)
        if inside.any():
            got = f"{100 * right[inside].mean():5.1f} % of {inside.sum()} right"
            rows.append(f"    {low:.2f} to {min(high, 1):.2f}: {got}, mean confidence {p[inside].mean():.2f}")
    return "\n".join(rows)


def report(kind, found):
    """Prints the figures and returns the calibration."""
    plain = [f for f in found if f[0]["plain"]]
    print(f"{kind}: right, cross-validated: {share(is_right(c, i) for c, i, _ in plain)}")
    print(f"  at all speeds and stretches: {share(is_right(c, i) for c, i, _ in found)}")
    if kind == "key":
        print(f"  without start and end: {share(is_right(c, i) for c, i, _ in found if not c['whole'])}")
        print(f"  MIREX: {share(mirex(c['wanted'], c['keys'][i]) for c, i, _ in plain)}")
    print(f"  reachable: {share(c['right'].any() for c, _, _ in plain)}")
    if kind == "tempo":
        ratio = [c["bpm"][i] / c["wanted"] for c, i, _ in plain]
        forgiven = [any(abs(r * k - 1) <= 0.04 for k in (1, 2, 3, 1 / 2, 1 / 3)) for r in ratio]
        print(f"  octaves forgiven: {share(forgiven)}")
        print(f"  within 1 %: {share(abs(r - 1) <= 0.01 for r in ratio)}")
    for name in sorted({family(c) for c, _, _ in plain}):
        print(f"    {name}: {share(is_right(c, i) for c, i, _ in plain if family(c) == name)}")
    p = np.array([p for _, _, p in found])
    right = np.array([is_right(c, i) for c, i, _ in found])
    slope, offset = platt(p, right)
    print(f"  calibrated by {slope:.3f} x logit + {offset:.3f}; all takes:")
    print(curve(1 / (1 + np.exp(-slope * logit(p) - offset)), right))
    return slope, offset


def presence(kind, cases):
    cases = [c for c in cases if len(c["x"])]

    def fit(part):
        yes = np.array([c["yes"] for c in part])
        weight = np.where(yes, PRESENCE_FAVOUR[kind] / yes.sum(), 1.0 / (~yes).sum())
        weight *= np.array([{"open": 4.0}.get(c["source"], 1.0) for c in part])
        return logistic(np.array([c["x"] for c in part]), yes, weight, SHRINK["presence"])

    group = lambda c: family(c) if c["yes"] else c["group"]
    refused = {}
    for name in sorted({group(c) for c in cases}):
        w, b = fit([c for c in cases if group(c) != name])
        refused[name] = [(c["x"] @ w + b < 0, c) for c in cases if group(c) == name]
    for yes, what in ((True, "refused though labelled"), (False, "refused as they should be")):
        all_of = [(r, c) for rows in refused.values() for r, c in rows if c["yes"] == yes]
        plain = share(r for r, c in all_of if c["plain"])
        print(f"{kind} presence, cross-validated, {what}: {share(r for r, _ in all_of)}, plain {plain}")
        for name, rows in refused.items():
            wrong = sum(r == yes for r, _ in rows)
            if rows[0][1]["yes"] == yes and wrong:
                print(f"    {name}: {wrong} of {len(rows)} wrong")
    return fit(cases)


def rust(path, doc, items):
    with open(path, "w") as out:
        out.write(f"//! Weights of {doc}, written by `training/train.py`. Do not edit by hand.\n")
        for name, text, value in items:
            if isinstance(value, tuple):
                value = ", ".join(f"{v:.4f}" for v in value)
                out.write(f"\n/// {text}\npub(crate) const {name}: (f64, f64) = ({value});\n")
            elif np.ndim(value) == 0:
                out.write(f"\n/// {text}\npub(crate) const {name}: f64 = {value:.4f};\n")
            else:
                cells = [f"{v:.4f}" for v in value]
                rows = "\n".join("    " + ", ".join(cells[i : i + 8]) + "," for i in range(0, len(cells), 8))
                out.write(f"\n/// {text}\n#[rustfmt::skip]\n")
                out.write(f"pub(crate) const {name}: [f32; {len(cells)}] = [\n{rows}\n];\n")


def write(folder, result):
    each = "One weight for each of the features, in their order."
    line = "Slope and offset that make a share of the softmax a confidence."
    added = "What is added to the weighted sum of the signs."
    weights, calibration, there, bias = result["tempo"]
    ranked = lambda weights, calibration: [("WEIGHTS", each, weights), ("CALIBRATION", line, calibration)]
    rust(os.path.join(folder, "tempo/octave_weights.rs"), "the octave decision", ranked(weights, calibration))
    steady = [("BIAS", added, bias), ("WEIGHTS", each, there)]
    rust(os.path.join(folder, "tempo/presence_weights.rs"), "the decision whether there is a tempo", steady)
    weights, calibration, there, bias = result["key"]
    signs = [("PRESENCE_BIAS", added, bias), ("PRESENCE_WEIGHTS", "One weight for each of the signs.", there)]
    rust(os.path.join(folder, "key/weights.rs"), "the key decisions", [*ranked(weights, calibration), *signs])


def weighted(sources, kind, weights):
    return [c | dict(weight=w) for n, w in weights.items() if w and n in sources for c in sources[n][kind]]


def main():
    given = [a.split("=", 1) for a in sys.argv[1:] if "=" in a]
    sources = {name: load(*paths.split(",")) for name, paths in given}
    for name, source in sources.items():
        for kind in ("tempo_presence", "key_presence"):
            for c in source[kind]:
                c["source"] = name
        # Tempo is trained on whole takes; only the key depends on where a piece is cut.
        source["tempo"] = [c for c in source["tempo"] if c["whole"]]
    result = {}
    for kind, weights in (("tempo", TEMPO_WEIGHTS), ("key", KEY_WEIGHTS)):
        every = weighted(sources, kind, weights)
        others = weighted({n: s for n, s in sources.items() if n != "open"}, kind, weights)
        opened = weighted({"open": sources["open"]}, kind, weights)
        calibration = report(kind, cross_validated(opened, others, SHRINK[kind]))
        plain = [c for c in sources["open"][kind] if c["plain"]]
        unseen = decisions(train(others, SHRINK[kind]), plain)
        print(f"  trained without `open` at all: {share(is_right(c, i) for c, i, _ in unseen)}")
        cases = [c for s in sources.values() for c in s[kind + "_presence"]]
        result[kind] = train(every, SHRINK[kind]), calibration, *presence(kind, cases)
    if "--write" in sys.argv:
        folder = sys.argv[sys.argv.index("--write") + 1]
        write(folder, result)


if __name__ == "__main__":
    main()
