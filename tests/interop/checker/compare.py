#!/usr/bin/env python3
"""Compares the output check with the HAPI validator on seeded mutations of valid resources.

    compare.py --checker PROGRAM --validator tests/interop/validator/run.sh [--seed N] [--count N]
               [--definitions DIR] [--resources FILE...] [--show-more]

Fails when either reports an error on an unmutated resource, or when the validator reports an error that the
check does not: at the same element or one above or below it. Errors outside what the check is for are
those of NOT_OURS, each with its reason. What the check reports and the validator does not is counted, and
printed with --show-more.
"""

import argparse
import glob
import json
import os
import random
import re
import subprocess
import sys

from mutate import mutate

# Validator messages that are not in the classes of the check: pattern, reason.
NOT_OURS = [
    (r"^Unknown code ", "terminology beyond required bindings"),
    (r"^The code system is complete, but the number of concepts", "a rule on the content of code systems"),
    (r"^Bundle entry missing fullUrl", "R4 allows an entry without fullUrl; relative references in it are ours"),
    (r"^Search results must have ids", "search sets, which servers make"),
    (r"^This is not an OperationOutcome", "search sets, which servers make"),
    (r"looks like a RESTful server URL, but the resource has no id", "ids beside fullUrl, which servers make"),
]


def read(path):
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    return [json.loads(line) for line in text.splitlines() if line.strip()] if path.endswith(".ndjson") \
        else [json.loads(text)]


def run(command, lines):
    """One answer a line; the validator says nothing else on standard output."""
    result = subprocess.run(command, input="".join(line + "\n" for line in lines), capture_output=True,
                            text=True, check=False)
    answers = [json.loads(line)["errors"] for line in result.stdout.splitlines()]
    if len(answers) != len(lines):
        sys.exit(f"{command[0]}: {len(answers)} answers to {len(lines)} lines\n{result.stderr[-2000:]}")
    return answers


def normal(path):
    """An element path without types, list marks and comments: Observation.value[x].ofType(Quantity) → …value"""
    path = re.sub(r"/\*.*?\*/", "", path)
    path = re.sub(r"\.ofType\([^)]*\)", "", path)
    path = path.replace("[x]", "")
    return path


def covers(ours, theirs):
    """At the same element, or one above or below. The validator sometimes uses the JSON name of a choice."""
    path = ours["message"].split(": ")[0]
    json_path = path.split(".")[0] + "".join("." + part for part in ours["pointer"].split("/")[1:]
                                             if not part.isdigit())
    # Without indexes: the validator leaves some out, below `_name` and where a list itself is wrong.
    there = re.sub(r"\[\d+\]", "", normal(theirs["location"]))
    for here in (re.sub(r"\[\d+\]", "", path), json_path):
        if here.startswith(there) or there.startswith(here):
            return True
    return False


def reason_not_ours(message):
    return next((reason for pattern, reason in NOT_OURS if re.search(pattern, message)), None)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("--checker", required=True)
    parser.add_argument("--validator", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--resources", nargs="*", default=sorted(glob.glob(os.path.join(here, "valid", "*.json"))))
    parser.add_argument("--definitions", help="a folder of our own StructureDefinitions")
    parser.add_argument("--show-more", action="store_true")
    options = parser.parse_args()

    valid = [resource for path in options.resources for resource in read(path)]
    generator = random.Random(options.seed)
    mutants = [mutate(generator, generator.choice(valid)) for _ in range(options.count)]
    lines = [json.dumps(resource) for resource in valid + [mutant for mutant, _ in mutants]]
    definitions = sorted(glob.glob(os.path.join(options.definitions, "*.json"))) if options.definitions else []
    profiles = ["--profiles", options.definitions] if options.definitions else []
    ours = run([options.checker] + definitions, lines)
    theirs = run([options.validator] + profiles + ["--stream"], lines)

    failures = 0
    for index in range(len(valid)):
        for error in ours[index] + theirs[index]:
            failures += 1
            print(f"valid resource {index} ({valid[index]['resourceType']}): {error}")

    found = missed = more = 0
    skipped = {}
    for index, (_, name) in enumerate(mutants, start=len(valid)):
        matched = set()
        for error in theirs[index]:
            reason = reason_not_ours(error["message"])
            fitting = [i for i, own in enumerate(ours[index])
                       if covers(own, error)]
            matched.update(fitting)
            if fitting:
                found += 1
            elif reason:
                skipped[reason] = skipped.get(reason, 0) + 1
            else:
                missed += 1
                print(f"seed {options.seed} mutation {index - len(valid)} ({name}): missed\n"
                      f"    {error['location']}: {error['message']}\n    ours: {ours[index]}")
        if len(matched) < len(ours[index]):
            more += 1
            if options.show_more:
                print(f"more: mutation {index - len(valid)} ({name})\n    ours: {ours[index]}\n"
                      f"    theirs: {theirs[index]}")
    print(f"seed {options.seed}: {len(valid)} valid resources, {options.count} mutations, "
          f"{sum(1 for errors in theirs[len(valid):] if errors)} found invalid by the validator, "
          f"{found} errors covered, {missed} missed, {more} mutations where the check says more")
    for reason, count in sorted(skipped.items()):
        print(f"    not ours, {count} times: {reason}")
    sys.exit(1 if failures or missed else 0)


if __name__ == "__main__":
    main()
