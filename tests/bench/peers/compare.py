#!/usr/bin/env python3
"""Our mapping and FHIRPath engine against those of others, on the same maps, records and expressions.

    compare.py --ours FILE --java FILE --npm DIR --official DIR [--rounds N]

Every engine runs all the time and gets its jobs one after the other: in each round each engine in turn does a job many
times, after a warm-up in the first. Printed: the median of the ratios of the rounds, and their range. An engine whose
result is not ours ends the run, so that only equal work is compared.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

EXPRESSIONS = [
    "name.where(use = 'official').given.first()",
    "telecom.where(system = 'phone' and use = 'home').value",
    "identifier.where(system = 'http://hospital.example/sid/2').exists()",
    "contact.relationship.coding.where(code = 'C').display",
    "name.given.count() + address.line.count()",
]
# Official maps whose result is JSON; the record of all of them is qr.json.
OFFICIAL = ["qr2pat-gender", "qr2pat-assignment", "qr2pat-humannametwice", "qr2pat-humannameshared", "qr2reference"]
# What a job is repeated in one round: long enough to be timed, and short enough for many rounds.
ROUND_US = 100_000
WARM_UP_US = 3_000_000


class Engine:
    def __init__(self, name, command, folder=None):
        self.name = name
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, job, repeat, warm_up):
        self.process.stdin.write(json.dumps(job | {"repeat": repeat, "warm_up": warm_up}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare.py: {self.name} ended with {self.process.wait()} at {job}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"compare.py: {self.name}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def same(text, other):
    """As JSON where it is JSON: the order of members is free."""
    try:
        return json.loads(text) == json.loads(other)
    except ValueError:
        return text.lower() == other.lower()


def compare(title, goal, ours, theirs, job, rounds):
    engines = [ours, theirs]
    repeats = {}
    outputs = {}
    for engine in engines:
        answer = engine.ask(job, 20, 20)
        outputs[engine.name] = answer["output"]
        repeats[engine.name] = max(1, int(ROUND_US / answer["microseconds"]))
        engine.ask(job, 1, int(WARM_UP_US / answer["microseconds"]))
    if not same(outputs[ours.name], outputs[theirs.name]):
        sys.exit(f"compare.py: {title}: {theirs.name} gives {outputs[theirs.name]}, ours is {outputs[ours.name]}")
    ratios = []
    times = {engine.name: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            # The engine reads the job anew: a few times to have it compiled again.
            repeat = repeats[engine.name]
            times[engine.name].append(engine.ask(job, repeat, repeat)["microseconds"])
        ratios.append(times[theirs.name][-1] / times[ours.name][-1])
    ratio = statistics.median(ratios)
    print(
        f"{title:52} {theirs.name:12} {statistics.median(times[theirs.name]):9.1f} us, ours {statistics.median(times[ours.name]):8.2f} us: "
        f"ratio {ratio:6.1f} ({min(ratios):.1f} to {max(ratios):.1f}), goal {goal}: {'met' if ratio >= goal else 'NOT MET'}",
        flush=True,
    )
    return ratio


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", required=True)
    parser.add_argument("--java", required=True)
    parser.add_argument("--npm", type=Path, required=True)
    parser.add_argument("--official", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    here = Path(__file__).resolve().parent
    maps = here / "maps"

    ours = Engine("ours", [arguments.ours])
    java = Engine("Java", [arguments.java])
    # Their packages are found from the folder in which the script lies.
    scripts = {}
    for name in ("medplum", "fhirpath"):
        script = arguments.npm / f"{name}.mjs"
        script.write_text((here / f"{name}.mjs").read_text())
        scripts[name] = Engine(name, ["node", str(script)], arguments.npm)
    record = str(maps / "patient.json")
    rounds = arguments.rounds

    patient = {"map": str(maps / "patient.map"), "input": record}
    compare("a map that all can run", 25, ours, scripts["medplum"], patient, rounds)
    compare("a map that all can run", 25, ours, java, patient, rounds)
    compare("80 rules, repeats, conditions, translations", 25, ours, java, {"map": str(maps / "eighty-rules.map"), "input": record}, rounds)
    ratios = []
    for name in OFFICIAL:
        job = {"map": str(arguments.official / f"{name}.map"), "input": str(arguments.official / "qr.json")}
        ratios.append(compare(f"official {name}", 25, ours, java, job, rounds))
    print(f"official maps: geometric mean of the ratios {statistics.geometric_mean(ratios):.1f}")
    for engine, goal in ((scripts["fhirpath"], 25), (java, 5)):
        ratios = [compare(f"`{e[:48]}`", goal, ours, engine, {"expression": e, "input": record}, rounds) for e in EXPRESSIONS]
        print(f"five expressions, {engine.name}: geometric mean of the ratios {statistics.geometric_mean(ratios):.1f}, goal {goal}")
    for engine in (ours, java, *scripts.values()):
        engine.close()


if __name__ == "__main__":
    main()
