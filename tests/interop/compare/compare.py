#!/usr/bin/env python3
"""Sends one script of requests to HAPI FHIR and to the sandbox and compares what they answer.

  compare.py --hapi URL --sandbox URL [--like PROFILE] [--requests FILE] [--differences FILE] [--print-differences]

The requests are data (requests.ndjson, one a line, in order: later ones build on earlier ones). What is compared:
status, the headers that clients act on, and the body; ids, times and the base URL become placeholders, numbers
are compared as text. Every difference must stand in differences.json with its reason; one that is not listed, and
one that is listed and does not happen, fail the run. In that list `request` and `field` may hold `*`, and the value
"*" stands for any. `{{run}}` and `{{number}}` are new in each run, so a server
can be used again.

--like says that the sandbox was started so (`sandbox --like PROFILE`): what the list marks with this `profile` must not
differ then.

In a request `{"raw": TEXT}` is a body that is not JSON, `{"number": TEXT, …}` inside a body a quantity whose value
has exactly these digits. `save` keeps the id of the answer under a name, per server.

Exit code: 0 no surprise, 1 surprises, 2 usage, 3 a server cannot be reached.
"""
import argparse
import fnmatch
import http.client
import json
import os
import re
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
HEADERS = ["ETag", "Location", "Content-Location", "Last-Modified", "Content-Type"]


class Number(str):
    """The digits of a JSON number."""


def parse_json(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def render_body(body):
    if isinstance(body, dict) and set(body) == {"raw"}:
        return body["raw"]
    text = json.dumps(body, separators=(",", ":"))
    return re.sub(r'"number":"([0-9.eE+-]+)"', r'"value":\1', text)


class Server:
    def __init__(self, name, url, run):
        self.name = name
        self.base = url.rstrip("/")
        parts = urllib.parse.urlsplit(self.base)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path
        self.variables = {"run": run, "number": str(int(time.time()) % 10**8)}

    def fill(self, text):
        return re.sub(r"\{\{([a-z0-9]+)\}\}", lambda m: self.variables[m.group(1)], text)

    def send(self, request):
        body = self.fill(render_body(request["body"])) if "body" in request else None
        headers = {"Accept": "application/fhir+json"}
        if body is not None:
            headers["Content-Type"] = "application/fhir+json"
        for key, value in request.get("headers", {}).items():
            headers[key] = self.fill(value)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            connection.request(request["method"], self.path + self.fill(request["path"]),
                               body.encode() if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return response.status, response.headers, text
        finally:
            connection.close()

    def neutral(self, text):
        """Without what must differ between two servers: base URL and server-made ids."""
        return UUID.sub("{id}", text.replace(self.base, "{base}"))

    def neutral_value(self, value):
        if isinstance(value, dict):
            return {key: self.neutral_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.neutral_value(item) for item in value]
        return self.neutral(value) if isinstance(value, str) else value

    def observe(self, request):
        status, headers, text = self.send(request)
        seen = {"status": status}
        wanted = request.get("compare", ["status", "headers", "body"])
        body = None
        try:
            body = parse_json(text) if text.strip() else None
        except ValueError:
            body = {"not json": True}
        for name, what in request.get("save", {}).items():
            self.variables[name] = body[what]
        if "headers" in wanted:
            for name in HEADERS:
                seen["header " + name] = self.header(name, headers.get(name))
        if "body" in wanted:
            seen.update(self.neutral_value(body_of(body)))
        return seen

    def header(self, name, value):
        if value is None:
            return None
        if name == "Last-Modified":
            return "{time}"
        if name == "Content-Type":
            return value.split(";")[0]
        return self.neutral(value)


def clean(resource):
    """A resource as the client wrote it, with its version."""
    kept = {key: value for key, value in resource.items() if key not in ("meta", "text")}
    version = resource.get("meta", {}).get("versionId")
    return {"version": version, "content": kept}


def entry_of(entry):
    seen = {}
    if "resource" in entry:
        seen["resource"] = resource_of(entry["resource"])
    response = entry.get("response")
    if response is not None:
        seen["status"] = response["status"].split(" ")[0]
        for name in ("location", "etag"):
            seen[name] = response.get(name)
        if "outcome" in response and int(seen["status"]) >= 400:
            seen["outcome"] = "OperationOutcome"
    return seen


def resource_of(resource):
    if resource.get("resourceType") == "OperationOutcome":
        severities = sorted({issue["severity"] for issue in resource.get("issue", [])})
        return {"outcome": "error" if {"error", "fatal"} & set(severities) else "no error"}
    if resource.get("resourceType") == "Bundle":
        return body_of(resource)
    return clean(resource)


def body_of(body):
    if body is None:
        return {"body": None}
    if not isinstance(body, dict) or "resourceType" not in body:
        return {"body": body}
    if body["resourceType"] != "Bundle":
        return {"body": resource_of(body)}
    seen = {"bundle type": body.get("type")}
    if body.get("type") in ("searchset", "history"):
        seen["total"] = body.get("total")
        seen["has next"] = any(link["relation"] == "next" for link in body.get("link", []))
    entries = [entry_of(entry) for entry in body.get("entry", [])]
    if body.get("type") == "searchset":  # no order was asked for
        entries.sort(key=lambda entry: json.dumps(entry, sort_keys=True))
    seen["entries"] = len(entries)
    for index, entry in enumerate(entries):
        for key, value in entry.items():
            seen[f"entry {index} {key}"] = value
    return seen


def covers(item, difference):
    return (fnmatch.fnmatchcase(difference["request"], item["request"])
            and fnmatch.fnmatchcase(difference["field"], item["field"])
            and all(item[side] in ("*", difference[side]) for side in ("hapi", "sandbox")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hapi", required=True)
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--like", help="the profile of the sandbox")
    parser.add_argument("--requests", default=os.path.join(HERE, "requests.ndjson"))
    parser.add_argument("--differences", default=os.path.join(HERE, "differences.json"))
    parser.add_argument("--print-differences", action="store_true", help="all of them as JSON, and exit 0")
    options = parser.parse_args()
    with open(options.requests, encoding="utf-8") as file:
        requests = [json.loads(line) for line in file]
    names = [request["name"] for request in requests]
    if len(set(names)) != len(names):
        sys.exit("two requests have one name")
    run = "c" + format(time.time_ns() // 1000, "x")
    servers = [Server("hapi", options.hapi, run), Server("sandbox", options.sandbox, run)]
    found = []
    for request in requests:
        try:
            hapi, sandbox = (server.observe(request) for server in servers)
        except OSError as error:
            print(f"{request['name']}: {error}", file=sys.stderr)
            sys.exit(3)
        for field in sorted(set(hapi) | set(sandbox)):
            if hapi.get(field) != sandbox.get(field):
                found.append({"request": request["name"], "field": field, "hapi": hapi.get(field),
                              "sandbox": sandbox.get(field)})
    found = json.loads(json.dumps(found).replace(run, "{run}").replace(servers[0].variables["number"], "{number}"))
    if options.print_differences:
        print(json.dumps(found, indent=1))
        return
    with open(options.differences, encoding="utf-8") as file:
        groups = json.load(file)
    listed = []
    for group in groups:
        if not group.get("reason"):
            sys.exit("a group of differences has no reason")
        if options.like is None or group.get("profile") != options.like:
            listed += group["differences"]
    happened = [False] * len(listed)
    surprises = []
    for difference in found:
        covering = [i for i, item in enumerate(listed) if covers(item, difference)]
        for i in covering:
            happened[i] = True
        if not covering:
            surprises.append(difference)
    missing = [item for item, did in zip(listed, happened) if not did]
    for title, items in (("not listed", surprises), ("listed, but does not happen", missing)):
        for item in items:
            print(f"{title}: {item['request']}: {item['field']}: HAPI {json.dumps(item['hapi'])}, "
                  f"sandbox {json.dumps(item['sandbox'])}")
    print(f"{len(requests)} requests, {len(found)} differences, {len(surprises)} of them not listed, "
          f"{len(missing)} listed that do not happen")
    sys.exit(1 if surprises or missing else 0)


if __name__ == "__main__":
    main()
