#!/usr/bin/env python3
"""The daemon and the sandbox as processes, the synthetic cohort through both of them.

  end_to_end.py delivery --adapter BINARY --cohort FILE --folder FOLDER
      Records a second from the first byte submitted to the last resource delivered; then the stages one after the
      other: taken and mapped without a server, delivered after a restart that names it.
  end_to_end.py memory --adapter BINARY --cohort FILE --folder FOLDER --records N [N...] [--growth-max-mb MB]
      Resident memory of the daemon after each number of records is delivered. More records than the cohort has are
      copies of it with other numbers for records and patients.

FOLDER should lie on a disk, not on a tmpfs. Exit 1 when something was not delivered. Needs nothing but Python.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENT_SYSTEM = "https://hospital.example/fhir/sid/mrn"
START_SECONDS = 60
STALL_SECONDS = 120  # no record delivered for so long: something is wrong
POLL_SECONDS = 0.2  # looking costs the daemon something, too
TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """A process of the adapter; `url` is what it says it listens on."""

    def __init__(self, arguments, log, url_pattern):
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT)
        self.url = self.wait_for(url_pattern)

    def wait_for(self, pattern):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log.read_text())
            if found:
                return found.group(0)
            if self.process.poll() is not None:
                break
            time.sleep(POLL_SECONDS)
        self.stop()
        sys.exit(f"end_to_end.py: a program did not start:\n{self.log.read_text()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024 / 1e6

    def peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024 / 1e6


class Rig:
    """A new store, and the programs that are started on it; all of them end with it."""

    def __init__(self, adapter, folder):
        self.adapter = adapter
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="end-to-end.", dir=folder))
        self.programs = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, arguments, pattern):
        program = Program([self.adapter, *arguments], self.folder / f"{name}.log", pattern)
        self.programs.append(program)
        return program

    def start_sandbox(self, options=()):
        return self.start("sandbox", ["sandbox", "--port", "0", *options], r"http://127\.0\.0\.1:\d+/fhir")

    def start_daemon(self, server):
        config = self.folder / "config.toml"
        config.write_text(f"""[site]
id = "pain-clinic"
[store]
url = "sqlite:{self.folder}/adapter.db"
[http]
listen = "127.0.0.1:0"
[endpoint]
base_url = "{server}"
patient_identifier_system = "{PATIENT_SYSTEM}"
""")
        return self.start("serve", ["--config", str(config), "serve"], r"http://127\.0\.0\.1:\d+")

    def submit(self, daemon, records):
        file = self.folder / "records.ndjson"
        file.write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in records), "ascii")
        subprocess.run([self.adapter, "submit", "--to", daemon.url, str(file)], check=True, stdout=subprocess.DEVNULL)


def register_patients(server, records):
    patients = {one["patient"]["mrn"]: one["patient"] for one in records}
    entries = [{"resource": {"resourceType": "Patient", "identifier": [{"system": PATIENT_SYSTEM, "value": mrn}],
                             "gender": patient["sex"], "birthDate": patient["birthDate"]},
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={PATIENT_SYSTEM}|{mrn}"}}
               for mrn, patient in patients.items()]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    request = urllib.request.Request(server, json.dumps(bundle).encode(), {"Content-Type": "application/fhir+json"})
    urllib.request.urlopen(request).close()


def metrics(daemon):
    text = urllib.request.urlopen(daemon.url + "/metrics").read().decode()
    return {name: float(value) for name, value in re.findall(r"^(fhir_adapter\S+) (\S+)$", text, re.MULTILINE)}


def count(values, *states):
    return int(sum(values[f'fhir_adapter_work_items{{state="{state}"}}'] for state in states))


def wait_until(daemon, left):
    """Until left(metrics) is 0; what is left must become less every now and then."""
    least, moved = None, time.monotonic()
    while True:
        values = metrics(daemon)
        now = left(values)
        if now == 0:
            return values
        if least is None or now < least:
            least, moved = now, time.monotonic()
        if time.monotonic() - moved > STALL_SECONDS:
            sys.exit(f"end_to_end.py: {now} records are stuck")
        time.sleep(POLL_SECONDS)


def wait_until_delivered(daemon, records):
    """Work is more than the records: rules run again when other records of the patient come."""
    values = wait_until(daemon, lambda v: int(v["fhir_adapter_undelivered"]))
    delivered, failed = count(values, "delivered"), count(values, "quarantined", "held", "rejected", "ambiguous")
    if delivered < records or failed:
        sys.exit(f"end_to_end.py: {delivered} of at least {records} pieces of work were delivered, {failed} failed")
    return values


class Watch:
    """Seconds of wall clock and of the processors since the last lap."""

    def __init__(self, programs):
        self.programs = programs
        self.last = self.now()

    def now(self):
        return [time.monotonic(), *(program.cpu_seconds() for program in self.programs)]

    def lap(self):
        before, self.last = self.last, self.now()
        return [b - a for a, b in zip(before, self.last)]


def measure_together(adapter, folder, records):
    with Rig(adapter, folder) as rig:
        sandbox = rig.start_sandbox()
        register_patients(sandbox.url, records)
        daemon = rig.start_daemon(sandbox.url)
        watch = Watch([daemon, sandbox])
        rig.submit(daemon, records)
        submitted = time.monotonic() - watch.last[0]
        values = wait_until_delivered(daemon, len(records))
        wall, daemon_cpu, sandbox_cpu = watch.lap()
        print(f"together: {len(records)} records, {int(values['fhir_adapter_resources_written_total'])} resources written, "
              f"{wall:.2f} s, {len(records) / wall:.1f} records/s; acknowledged after {submitted:.2f} s; "
              f"processor: daemon {daemon_cpu:.2f} s, sandbox {sandbox_cpu:.2f} s")


def measure_stages(adapter, folder, records):
    with Rig(adapter, folder) as rig:
        daemon = rig.start_daemon("")
        watch = Watch([daemon])
        rig.submit(daemon, records)
        accept = watch.lap()
        wait_until(daemon, lambda v: count(v, "received"))
        rest = watch.lap()
        daemon.stop()
        sandbox = rig.start_sandbox()
        register_patients(sandbox.url, records)
        daemon = rig.start_daemon(sandbox.url)
        watch = Watch([daemon, sandbox])
        wait_until_delivered(daemon, len(records))
        deliver = watch.lap()
        total = accept[0] + rest[0] + deliver[0]
        for name, wall, cpu in (("accept, mapping beside it", accept[0], f"daemon {accept[1]:.2f} s"),
                                ("mapping that was left", rest[0], f"daemon {rest[1]:.2f} s"),
                                ("deliver", deliver[0], f"daemon {deliver[1]:.2f} s, sandbox {deliver[2]:.2f} s")):
            print(f"stage {name + ':':27} {wall:6.2f} s ({100 * wall / total:2.0f} %), {len(records) / wall:8.1f} records/s; "
                  f"processor: {cpu}")


def renumbered(one, number):
    patient = {**one["patient"], "mrn": str(int(one["patient"]["mrn"]) + 1000 * number)}
    return {**one, "recordId": f"{one['recordId']}-{number}", "patient": patient}


def portions(cohort, first, last):
    """The records first to last of endless copies of the cohort, each portion of one copy."""
    while first < last:
        number, start = divmod(first, len(cohort))
        end = min(len(cohort), start + last - first)
        yield [renumbered(one, number) for one in cohort[start:end]]
        first += end - start


def measure_memory(adapter, folder, cohort, sizes, growth_max_mb):
    with Rig(adapter, folder) as rig:
        sandbox = rig.start_sandbox(["--store", str(rig.folder / "sandbox.db")])
        daemon = rig.start_daemon(sandbox.url)
        print(f"memory: {daemon.resident_mb():.1f} MB resident before the first record", flush=True)
        begin, done, reached = time.monotonic(), 0, {}
        for size in sizes:
            for portion in portions(cohort, done, size):
                register_patients(sandbox.url, portion)
                rig.submit(daemon, portion)
                done += len(portion)
                wait_until_delivered(daemon, done)
            reached[size] = daemon.resident_mb()
            print(f"memory: {reached[size]:.1f} MB resident, {daemon.peak_mb():.1f} MB at most, after {size} records were delivered "
                  f"({time.monotonic() - begin:.0f} s, processor: daemon {daemon.cpu_seconds():.1f} s)", flush=True)
        if len(sizes) > 1:
            growth = reached[sizes[-1]] - reached[sizes[0]]
            print(f"memory: {growth:+.1f} MB from {sizes[0]} to {sizes[-1]} records")
            if growth_max_mb is not None and growth > growth_max_mb:
                sys.exit(f"end_to_end.py: the daemon grew by more than {growth_max_mb} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurement", choices=["delivery", "memory"])
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--records", type=int, nargs="+", default=[2000])
    parser.add_argument("--growth-max-mb", type=float, help="exit 1 when memory grows more from the first to the last size")
    options = parser.parse_args()
    cohort = [json.loads(line) for line in open(options.cohort, encoding="ascii")]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the programs end with us
    if options.measurement == "memory":
        measure_memory(options.adapter, options.folder, cohort, sorted(options.records), options.growth_max_mb)
        return
    measure_together(options.adapter, options.folder, cohort)
    measure_stages(options.adapter, options.folder, cohort)


if __name__ == "__main__":
    main()
