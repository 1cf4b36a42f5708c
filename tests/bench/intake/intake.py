#!/usr/bin/env python3
"""How much the daemon takes in, durably acknowledged, and how much of that hostile clients can take away.

  intake.py [mllp] [http] [idle] [hostile] --adapter BINARY --load BENCH_INTAKE --folder FOLDER [--seconds S]

mllp: messages a second over 1, 8 and 64 connections, against a loop that only cuts frames and reads messages. http:
records a second by wrk, plain and over TLS. idle: what 1,000 connections cost that say nothing. hostile: slow heads,
half frames, a length of 4 GiB and a gzip bomb, each beside a client that works. Nothing is sent on: no server is
configured. Mapping goes on beside it, as always. FOLDER should lie on a disk, not on a tmpfs. Needs wrk.
"""
import argparse
import gzip
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "end_to_end"))
from end_to_end import Program  # noqa: E402

IDLE_CONNECTIONS = 1000
HOSTILE_ADDRESSES = 8  # 127.0.0.2 and so on: of each the daemon takes no more than it takes of one client
HALF_FRAMES = 500
MIB = 1024 * 1024


class Daemon:
    """With limits that no load of one machine reaches."""

    def __init__(self, options, more="", http=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="intake.", dir=options.folder))
        config = self.folder / "config.toml"
        config.write_text(f"""[site]
id = "pain-clinic"
time_zone = "Asia/Tokyo"
[store]
url = "sqlite:{self.folder}/adapter.db"
[http]
listen = "127.0.0.1:0"
requests_per_second_max = 1000000
{http.format(folder=self.folder)}
[mllp]
listen = "127.0.0.1:0"
{more}
""")
        self.program = Program([options.adapter, "--config", str(config), "serve"], self.folder / "log",
                               r"https?://127\.0\.0\.1:\d+")
        self.url = self.program.url
        self.http = int(self.url.rsplit(":", 1)[1])
        self.mllp = int(self.program.wait_for(r"mllp://127\.0\.0\.1:\d+").rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


runs = 0


def next_run():
    global runs
    runs += 1
    return f"r{runs}"


def mllp_load(options, daemon, connections, seconds):
    """Messages a second, p50 and p99 in ms, messages that were not accepted."""
    result = subprocess.run([options.load, "mllp", str(daemon.mllp), str(connections), str(seconds), next_run()],
                            stdout=subprocess.PIPE, text=True)
    if not result.stdout:
        sys.exit("intake.py: the daemon answers no message")
    rate, p50, p99, refused = result.stdout.split()
    return float(rate), float(p50), float(p99), int(refused)


def http_load(daemon, connections, seconds):
    """Records a second, p50 and p99 in ms, answers other than 202, failed connections; the first other answer."""
    result = subprocess.run(["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
                             "--timeout", "10s", "--script", str(HERE / "post_records.lua"), daemon.url],
                            env={"RUN": next_run(), "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True, check=True)
    rate, p50, p99, others, errors, first = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+) (\d+) (.*)", result.stdout).groups()
    return float(rate), float(p50), float(p99), int(others), int(errors), first


def must(is_good, problem):
    if not is_good:
        sys.exit(f"intake.py: {problem}")


def measure_mllp(options):
    parse = float(subprocess.run([options.load, "parse", str(options.seconds)], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout)
    print(f"mllp: a loop that only reads, one thread: {parse:.0f} messages/s", flush=True)
    for connections in (1, 8, 64):
        with Daemon(options) as daemon:
            rate, p50, p99, refused = mllp_load(options, daemon, connections, options.seconds)
            must(refused == 0, f"{refused} messages were not accepted")
            print(f"mllp: {connections:2} connections: {rate:7.1f} messages/s acknowledged ({100 * rate / parse:.1f} % of "
                  f"reading alone), p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


def certificate(folder):
    """A key and a certificate of its own in `folder`, as the keys of [http]."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.pem"],
                   check=True, stderr=subprocess.DEVNULL)
    return f'certificate_file = "{folder}/tls.pem"\nkey_file = "{folder}/tls.key"\n'


def measure_http(options):
    with tempfile.TemporaryDirectory() as folder:
        for name, keys in (("plain", ""), ("over TLS", certificate(folder))):
            for connections in (1, 8, 32):
                with Daemon(options, http=keys) as daemon:
                    rate, p50, p99, others, errors, first = http_load(daemon, connections, options.seconds)
                    must(others + errors == 0, f"{others} other answers, {errors} errors: {first}")
                    print(f"http {name + ':':9} {connections:2} connections: {rate:7.1f} records/s acknowledged, "
                          f"p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


def measure_idle(options):
    raised = f"connections_max = {IDLE_CONNECTIONS + 100}\nconnections_per_address_max = {IDLE_CONNECTIONS + 100}\n"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with tempfile.TemporaryDirectory() as folder:
        for name, keys in (("plain", ""), ("TLS", certificate(folder))):
            with Daemon(options, http=raised + keys) as daemon:
                http_load(daemon, 8, 2)  # what the first requests bring up is not theirs
                time.sleep(1)
                before = daemon.program.resident_mb()
                held = []
                for _ in range(IDLE_CONNECTIONS):
                    one = socket.create_connection(("127.0.0.1", daemon.http))
                    held.append(context.wrap_socket(one) if keys else one)
                    # Each has asked once, so that it is known to be served.
                    held[-1].sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    must(b" 200 " in held[-1].recv(4096), "an idle connection was not served")
                after = daemon.program.resident_mb()
                print(f"idle {name + ':':6} {IDLE_CONNECTIONS} connections cost {after - before:.1f} MB "
                      f"({before:.1f} to {after:.1f}; goal: plain less than 16)", flush=True)
                for one in held:
                    one.close()


class Hostile:
    """Threads that go on until the end of the block; `work(number)` makes one attack and returns."""

    def __init__(self, work, threads):
        self.work, self.ended = work, threading.Event()
        self.attacks = [0] * threads
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(threads)]

    def run(self, number):
        while not self.ended.is_set():
            try:
                self.work(number, self.ended)
            except OSError:
                pass  # refused or closed: again
            self.attacks[number] += 1
            self.ended.wait(0.5)  # on this machine they would else take the processors that the daemon needs

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def connect(number, port):
    return socket.create_connection(("127.0.0.1", port), timeout=2,
                                    source_address=(f"127.0.0.{2 + number % HOSTILE_ADDRESSES}", 0))


def slow_heads(daemon):
    def work(number, ended):
        with connect(number, daemon.http) as one:
            for byte in b"POST /records HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"s" * 10_000:
                one.sendall(bytes([byte]))
                if ended.wait(0.5):
                    return
    return work, 200


def half_frames(daemon):
    half = b"\x0bMSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|20140506211000+0900||RAS^O17^RAS_O17|" + b"x" * 500

    def work(number, ended):
        with connect(number, daemon.mllp) as one:
            one.sendall(half)
            one.settimeout(0.5)
            while not ended.is_set():
                try:
                    if not one.recv(4096):
                        return
                except TimeoutError:
                    pass
    return work, HALF_FRAMES


def huge_lengths(daemon):
    def work(number, ended):
        with connect(number, daemon.http) as one:
            one.sendall(b"POST /records HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        b"Content-Length: 4294967296\r\n\r\n" + b"[" * 65536)
            must(b" 413 " in one.recv(4096), "a length of 4 GiB was not refused with 413")
    return work, 16


def gzip_bombs(daemon):
    bomb = gzip.compress(b"0" * (64 * MIB))

    def work(number, ended):
        with connect(number, daemon.http) as one:
            one.sendall(b"POST /records HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
            must(b" 415 " in one.recv(4096), "a gzip body was not refused with 415")
    return work, 16


def measure_hostile(options):
    for name, attack, load in (("slow heads", slow_heads, records_load), ("half frames", half_frames, messages_load),
                               ("4 GiB lengths", huge_lengths, records_load), ("gzip bombs", gzip_bombs, records_load)):
        with Daemon(options) as daemon:
            load(options, daemon)
            quiet, _, failed, problem = load(options, daemon)
            must(failed == 0, f"{failed} requests failed before the attack: {problem}")
            before = daemon.program.resident_mb()
            work, threads = attack(daemon)
            with Hostile(work, threads) as hostile:
                time.sleep(1)
                # Whose clients connect while they are at it.
                rate, p99, failed, problem = load(options, daemon)
                resident = daemon.program.resident_mb()
            print(f"hostile {name + ':':14} {threads} clients, {sum(hostile.attacks)} attacks ended; {quiet:.1f}/s without, "
                  f"{rate:.1f}/s with them ({100 * rate / quiet:.0f} %, goal 50), p99 {p99:.2f} ms, {failed} failed; "
                  f"memory {resident - before:+.1f} MB (goal 16)", flush=True)
            must(failed == 0, f"requests of others failed: {problem}")


def records_load(options, daemon):
    rate, _, p99, others, errors, first = http_load(daemon, 4, options.seconds)
    return rate, p99, others + errors, first


def messages_load(options, daemon):
    rate, _, p99, refused = mllp_load(options, daemon, 4, options.seconds)
    return rate, p99, refused, "messages not accepted"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurements", nargs="*", default=[], help="mllp, http, idle, hostile; all when none is named")
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the programs end with us
    measures = {"mllp": measure_mllp, "http": measure_http, "idle": measure_idle, "hostile": measure_hostile}
    for name in options.measurements or measures:
        measures[name](options)


if __name__ == "__main__":
    main()
