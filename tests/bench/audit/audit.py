#!/usr/bin/env python3
"""How long an auditor waits: `trace` and `audit verify` as commands, on stores that grow.

  audit.py --adapter BINARY --loader BENCH_AUDIT --folder FOLDER --administrations N [N...]

For each size, in ascending order, the store is filled up to it; then `trace` by record, by resource and by
patient (four records), each RUNS times at random places, and `audit verify` of the store and of an exported folder.
Times are of the whole command, from its start to its end: by the wall, and what it used of a processor, which other
programs do not lengthen. FOLDER should lie on a disk, not on a tmpfs: 40 kB an administration.
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

SEED = 20261127
SITE = "pain-clinic"
BASE = "https://clinic.example/fhir"


def run(arguments, output=subprocess.DEVNULL):
    """Seconds by the wall and of the processor, and kB at most, of a command that must succeed."""
    begin = time.monotonic()
    process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"audit.py: exit code {process.returncode} of {' '.join(map(str, arguments))}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def resource_of(number):
    """The loader's server takes our own ids: UUIDs of version 5 over the identifier."""
    identifier = f"{BASE}/sid/it-administration|{SITE}.B-{number}.1"
    return f"MedicationAdministration/{uuid.uuid5(uuid.NAMESPACE_URL, identifier)}"


def mrn_of(number):
    return str(100_000 + number // 2000 * 500 + number % 500)


def measure_traces(command, count, runs):
    numbers = random.Random(SEED)
    selectors = {"record": "B-{}".format, "resource": resource_of, "patient": mrn_of}
    for kind, selector in selectors.items():
        times = [run([*command, "--json", "trace", selector(numbers.randrange(count))]) for _ in range(runs)]
        wall = [1000 * one[0] for one in times]
        processor = [1000 * one[1] for one in times]
        print(f"trace by {kind + ',':9} {count:7} administrations: p50 {percentile(wall, 0.5):6.1f} ms, "
              f"p99 {percentile(wall, 0.99):6.1f} ms; processor p50 {percentile(processor, 0.5):6.1f} ms, "
              f"p99 {percentile(processor, 0.99):6.1f} ms", flush=True)


def measure_verify(command, folder, count, entries):
    wall, processor, kilobytes = run([*command, "audit", "verify"])
    print(f"verify store,  {entries:8} entries: {wall:7.2f} s, processor {processor:7.2f} s, {kilobytes / 1000:6.1f} MB at most",
          flush=True)
    exported = folder / f"export-{count}"
    run([*command, "audit", "export", str(exported)])
    wall, processor, kilobytes = run([*command, "audit", "verify", "--folder", str(exported)])
    print(f"verify folder, {entries:8} entries: {wall:7.2f} s, processor {processor:7.2f} s, {kilobytes / 1000:6.1f} MB at most",
          flush=True)
    shutil.rmtree(exported)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--loader", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--administrations", type=int, nargs="+", default=[2000])
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="audit.", dir=options.folder))
    try:
        config = folder / "config.toml"
        config.write_text(f'[site]\nid = "{SITE}"\n[store]\nurl = "sqlite:{folder}/adapter.db"\n')
        command = [options.adapter, "--config", str(config)]
        done = 0
        for count in sorted(options.administrations):
            loaded = subprocess.run([options.loader, "load", f"{folder}/adapter.db", str(done), str(count)], check=True,
                                    stdout=subprocess.PIPE, text=True)
            done = count
            size = (folder / "adapter.db").stat().st_size
            print(f"store of {count} administrations: {int(loaded.stdout)} entries, {size / 1e9:.2f} GB", flush=True)
            measure_traces(command, count, options.runs)
            measure_verify(command, folder, count, int(loaded.stdout))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
