#!/usr/bin/env python3
"""Our rate to a real HAPI server against its own best rate with plain bundles.

  hapi.py --adapter BINARY --cohort FILE --folder FOLDER [--records N] [--pairs P]

Pairs, interleaved: N records that wait in a queue, delivered by the daemon; and N records of the same kind, mapped
before, each POSTed as a transaction by curl, which only sends and looks for nothing. How many curl sends at a time is
what was fastest at the beginning. Other patients and records each time, so that everything is created. Prints both rates
and the median and range of their ratio. Needs Java and what tests/interop/fetch.sh hapi-server brings.
"""
import argparse
import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "end_to_end"))
from end_to_end import PATIENT_SYSTEM, Rig, count, register_patients, renumbered, wait_until, wait_until_delivered  # noqa: E402

HAPI = HERE.parent.parent / "interop" / "hapi-server" / "run.sh"
CURL_AT_A_TIME = (1, 2, 4, 8)


class Hapi:
    def __init__(self):
        self.process = subprocess.Popen([str(HAPI)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith("READY "):
                self.url = line.split()[1]
                return
        sys.exit("hapi.py: the server did not start: tests/interop/fetch.sh hapi-server")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def mapped(options, records, folder):
    """A file a record: the Bundle that the maps make of it."""
    source = folder / "records.ndjson"
    source.write_text("".join(json.dumps(one) + "\n" for one in records))
    config = folder / "map.toml"
    config.write_text(f'[site]\nid = "pain-clinic"\n[endpoint]\npatient_identifier_system = "{PATIENT_SYSTEM}"\n')
    # Findings that need other records are told on standard error.
    output = subprocess.run([options.adapter, "--config", str(config), "map", str(source)], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    files = []
    decoder, at = json.JSONDecoder(), 0
    while at < len(output):
        bundle, at = decoder.raw_decode(output, at)
        while at < len(output) and output[at].isspace():
            at += 1
        files.append(folder / f"bundle-{len(files)}.json")
        files[-1].write_text(json.dumps(bundle))
    return files


def by_curl(server, files, at_a_time):
    """Bundles a second."""
    begin = time.monotonic()
    config = "".join(f'next\nurl = "{server}"\nheader = "Content-Type: application/fhir+json"\nheader = "Prefer: return=minimal"\n'
                     f'data-binary = "@{file}"\noutput = "/dev/null"\nwrite-out = "%{{http_code}}\\n"\n' for file in files)
    result = subprocess.run(["curl", "--no-progress-meter", "--parallel", "--parallel-max", str(at_a_time), "--config", "-"],
                            input=config.removeprefix("next\n"), stdout=subprocess.PIPE, text=True, check=True)
    took = time.monotonic() - begin
    statuses = result.stdout.split()
    if statuses.count("200") != len(files):
        sys.exit(f"hapi.py: curl was answered {sorted(set(statuses))}")
    return len(files) / took


def by_us(options, server, records, folder):
    """Records a second, from the start of the daemon's sending to the last row."""
    with Rig(options.adapter, folder) as rig:
        daemon = rig.start_daemon("")
        rig.submit(daemon, records)
        wait_until(daemon, lambda values: count(values, "received"))
        daemon.stop()
        daemon = rig.start_daemon(server)
        begin = time.monotonic()
        wait_until_delivered(daemon, len(records))
        return len(records) / (time.monotonic() - begin)


class Records:
    """Records that nobody has seen, each of a patient of its own, whom the server knows: those of one patient would have
    to wait for one another, which curl does not do."""

    def __init__(self, cohort, server):
        self.cohort = list({one["patient"]["mrn"]: one for one in reversed(cohort)}.values())
        self.server, self.taken = server, 0

    def take(self, number):
        self.taken += 1
        records = [renumbered(one, self.taken) for one in self.cohort[:number]]
        if len(records) < number:
            sys.exit(f"hapi.py: the cohort has {len(records)} patients")
        register_patients(self.server, records)
        return records


def measure(options, server, folder):
    cohort = [json.loads(line) for line in open(options.cohort, encoding="ascii")]
    records = Records(cohort, server)
    by_curl(server, mapped(options, records.take(options.records), folder), 4)  # HAPI is slow at first
    by_us(options, server, records.take(options.records), folder)
    best = max((by_curl(server, mapped(options, records.take(options.records), folder), at_a_time), at_a_time)
               for at_a_time in CURL_AT_A_TIME)[1]
    ours, curls = [], []
    for pair in range(options.pairs):
        sides = [lambda: ours.append(by_us(options, server, records.take(options.records), folder)),
                 lambda: curls.append(by_curl(server, mapped(options, records.take(options.records), folder), best))]
        for side in sides if pair % 2 == 0 else reversed(sides):
            side()
    ratios = [mine / theirs for mine, theirs in zip(ours, curls)]
    print(f"{options.records} records, {options.pairs} interleaved pairs, curl sends {best} at a time")
    for name, values in (("records/s, ours", ours), ("records/s, curl", curls), ("ours / curl", ratios)):
        print(f"{name:20} median {statistics.median(values):8.2f}   range {min(values):8.2f} to {max(values):8.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=10)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends with us
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hapi.", dir=options.folder))
    hapi = Hapi()
    try:
        measure(options, hapi.url, folder)
    finally:
        hapi.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
