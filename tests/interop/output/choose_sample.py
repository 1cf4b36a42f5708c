#!/usr/bin/env python3
"""Chooses the Bundles that the validator shall judge: few, and yet all that the full output holds.

usage: choose_sample.py ALWAYS.ndjson POOL.ndjson COUNT SAMPLE.ndjson

The sample is every Bundle of ALWAYS, then those of POOL that have an element path, a code or a status that no one before
them has, then every so manyth of POOL until there are COUNT. What occurs is computed from the Bundles, here of both files,
and the sample is compared with it at the end: exit 1 when anything of the full output is not in it. Prints the figures.
"""
import json
import pathlib
import sys

# Elements whose value decides what else must be there: with required bindings, or naming a definition.
DECISIVE = {"status", "intent", "severity", "actuality", "outcome", "comparator", "valueCode", "method", "use", "role"}


def features(bundle):
    """Element paths without indexes, codings, and values of decisive elements, each named below its resource type."""
    found = set()

    def walk(path, value):
        if isinstance(value, list):
            for item in value:
                walk(path, item)
            return
        if not isinstance(value, dict):
            if isinstance(value, str) and path.rsplit(".", 1)[-1] in DECISIVE:
                found.add(f"value {path}={value}")
            return
        if "resourceType" in value:
            path = value["resourceType"]
        if isinstance(value.get("code"), str):
            found.add(f"code {value.get('system', '')}|{value['code']}")
        if "extension" in path.rsplit(".", 1)[-1].lower():
            found.add(f"extension {path}={value.get('url', '')}")
        for name, child in value.items():
            found.add(f"path {path}.{name}")
            walk(f"{path}.{name}", child)

    walk("", bundle)
    return found


def choose(always, pool, count):
    seen = set()
    for bundle in always:
        seen |= features(bundle)
    chosen = []
    for index, bundle in enumerate(pool):
        own = features(bundle)
        if not own <= seen:
            chosen.append(index)
            seen |= own
    missing = count - len(always) - len(chosen)
    rest = [index for index in range(len(pool)) if index not in set(chosen)]
    if missing > 0:
        chosen += rest[:: max(1, len(rest) // missing)][:missing]
    return sorted(chosen)


def main():
    always_file, pool_file, count, sample_file = sys.argv[1:]
    always_lines = pathlib.Path(always_file).read_text(encoding="utf-8").splitlines()
    pool_lines = pathlib.Path(pool_file).read_text(encoding="utf-8").splitlines()
    always = [json.loads(line) for line in always_lines]
    pool = [json.loads(line) for line in pool_lines]
    chosen = choose(always, pool, int(count))
    pathlib.Path(sample_file).write_text("".join(line + "\n" for line in always_lines + [pool_lines[i] for i in chosen]), encoding="utf-8")

    full = set().union(*(features(bundle) for bundle in always + pool))
    sampled = set()
    for line in pathlib.Path(sample_file).read_text(encoding="utf-8").splitlines():
        sampled |= features(json.loads(line))
    kinds = {kind: sum(1 for name in full if name.startswith(kind + " ")) for kind in ("path", "code", "value", "extension")}
    print(f"sample: {len(always) + len(chosen)} of {len(always) + len(pool)} Bundles hold {len(full & sampled)} of {len(full)} features: "
          + ", ".join(f"{number} of kind {kind}" for kind, number in kinds.items()))
    for name in sorted(full - sampled):
        print(f"not in the sample: {name}", file=sys.stderr)
    return 1 if full - sampled or len(full) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
