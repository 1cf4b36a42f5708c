"""Seeded mutations of FHIR resources: each breaks one thing, or tries to.

A mutation is a function (random, resource) -> name or None. It changes the resource in place and returns
what it did, or None when the resource offers nothing for it.
"""

import copy

WRONG_TEXT = {
    "date": ["2026-02-30", "26-01-01", "2026/01/01", "2026-01-01T10:00"],
    "uri": ["a b", "urn:uuid:XYZ", "urn:oid:9.1"],
    "code": [" x", "x  y", "x "],
}


def walk(node, path=()):
    """Every (parent, key, path) of the tree."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key, path + (key,)
        yield from walk(value, path + (key,))


def resources(node):
    """Every resource of the tree, the root too."""
    if isinstance(node, dict):
        if "resourceType" in node:
            yield node
        for value in node.values():
            yield from resources(value)
    elif isinstance(node, list):
        for value in node:
            yield from resources(value)


def pick(random, resource, wanted):
    found = [(parent, key, path) for parent, key, path in walk(resource) if wanted(parent, key)]
    return random.choice(found) if found else None


def objects_with(*names):
    return lambda parent, key: isinstance(parent[key], dict) and all(name in parent[key] for name in names)


def is_member(parent, key):
    return isinstance(parent, dict) and key != "resourceType"


def delete_member(random, resource):
    found = pick(random, resource, is_member)
    if not found:
        return None
    parent, key, path = found
    del parent[key]
    return f"delete {path}"


def rename_member(random, resource):
    found = pick(random, resource, is_member)
    if not found:
        return None
    parent, key, path = found
    parent[key + "Zzz"] = parent.pop(key)
    return f"rename {path}"


def add_unknown(random, resource):
    found = pick(random, resource, lambda parent, key: isinstance(parent[key], dict))
    target, path = (found[0][found[1]], found[2]) if found else (resource, ())
    target["unknownMember"] = "x"
    return f"unknown member in {path}"


def wrong_kind(random, resource):
    found = pick(random, resource, is_member)
    if not found:
        return None
    parent, key, path = found
    value = parent[key]
    if isinstance(value, list):
        parent[key] = random.choice([value[0], [], [None], "x", [[value[0]]]])
    elif isinstance(value, dict):
        parent[key] = random.choice([[value], {}, "x", 1, None])
    elif isinstance(value, bool):
        parent[key] = random.choice([str(value).lower(), 1, [value], None])
    elif isinstance(value, (int, float)):
        parent[key] = random.choice([str(value), True, [value], None, {"value": 1}])
    else:
        parent[key] = random.choice(["", 1, True, [value], {"text": "x"}, None])
    return f"{parent[key]!r} for {path}"


def wrong_number(random, resource):
    found = pick(random, resource, lambda parent, key: isinstance(parent[key], int)
                 and not isinstance(parent[key], bool))
    if not found:
        return None
    parent, key, path = found
    parent[key] = random.choice([-1, 0, 1.5, 3000000000])
    return f"{parent[key]} for {path}"


def wrong_date(random, resource):
    found = pick(random, resource, lambda parent, key: isinstance(parent[key], str)
                 and parent[key][:3] == "202" and "-" in parent[key])
    if not found:
        return None
    parent, key, path = found
    parent[key] = random.choice(WRONG_TEXT["date"])
    return f"{parent[key]} for {path}"


def wrong_text(kind, keys):
    def mutate(random, resource):
        found = pick(random, resource, lambda parent, key: key in keys and isinstance(parent[key], str))
        if not found:
            return None
        parent, key, path = found
        parent[key] = random.choice(WRONG_TEXT[kind])
        return f"{parent[key]!r} for {path}"
    return mutate


def wrong_id(random, resource):
    target = random.choice(list(resources(resource)))
    target["id"] = random.choice(["a_b", "x" * 65, "ä", ""])
    return f"id {target['id']!r}"


def wrong_code(random, resource):
    found = pick(random, resource, lambda parent, key: isinstance(parent[key], str) and key in (
        "status", "intent", "actuality", "severity", "gender", "use", "action", "outcome", "role", "type",
        "comparator", "method", "mode", "durationUnit", "content", "equivalence"))
    if not found:
        return None
    parent, key, path = found
    parent[key] = "nonsense"
    return f"nonsense code for {path}"


def wrong_coding(random, resource):
    found = pick(random, resource, lambda parent, key: isinstance(parent, dict) and key in (
        "clinicalStatus", "verificationStatus", "severity", "outcome") and isinstance(parent[key], dict))
    if not found:
        return None
    parent, key, path = found
    parent[key] = random.choice([{"text": "x"}, {"coding": [{"code": "active"}]},
                                 {"coding": [{"system": "http://x.example", "code": "y"}]}])
    return f"other coding for {path}"


def second_choice(random, resource):
    choices = {"effectiveDateTime": ("effectivePeriod", {"start": "2026-01-01"}),
               "performedPeriod": ("performedDateTime", "2026-01-01"),
               "performedDateTime": ("performedString", "x"),
               "valueQuantity": ("valueString", "x"), "valueRange": ("valueInteger", 1),
               "valueDecimal": ("valueString", "x"), "valueString": ("valueBoolean", True),
               "onsetDateTime": ("onsetString", "x"), "deceasedBoolean": ("deceasedDateTime", "2026-01-01"),
               "multipleBirthInteger": ("multipleBirthBoolean", True),
               "medicationReference": ("medicationCodeableConcept", {"text": "x"}),
               "doseQuantity": ("doseRange", {"low": {"value": 1}})}
    found = pick(random, resource, lambda parent, key: key in choices)
    if not found:
        return None
    parent, key, path = found
    name, value = choices[key]
    parent[name] = copy.deepcopy(value)
    return f"{name} beside {path}"


def wrong_choice_type(random, resource):
    found = pick(random, resource, lambda parent, key: isinstance(key, str) and key in (
        "valueQuantity", "valueRange", "effectiveDateTime", "performedPeriod", "onsetDateTime"))
    if not found:
        return None
    parent, key, path = found
    stem = key.rstrip("abcdefghijklmnopqrstuvwxyz")[:-1] if key != "effectiveDateTime" else "effective"
    parent[stem + "Attachment"] = {"title": "x"}
    del parent[key]
    return f"Attachment for {path}"


def wrong_reference(random, resource):
    found = pick(random, resource, lambda parent, key: key == "reference" and isinstance(parent[key], str)
                 and not parent[key].startswith("http"))
    if not found:
        return None
    parent, key, path = found
    fitting = ["#nope", "urn:uuid:00000000-0000-4000-8000-999999999999", "urn:uuid:nope"]
    parent[key] = random.choice(fitting)
    return f"{parent[key]} for {path}"


def swap_entry_references(random, resource):
    """Another entry of the Bundle, often of a type that is not allowed there."""
    urls = [entry.get("fullUrl") for entry in resource.get("entry", []) if isinstance(entry, dict)]
    found = pick(random, resource, lambda parent, key: key == "reference" and parent[key] in urls)
    if not found:
        return None
    parent, key, path = found
    parent[key] = random.choice(urls)
    return f"{parent[key]} for {path}"


def contained(random, resource):
    holders = [item for item in resources(resource) if "contained" in item]
    if not holders:
        return None
    holder = random.choice(holders)
    inner = holder["contained"][0]
    choice = random.randrange(5)
    if choice == 0:
        inner["id"] = "other"
    elif choice == 1:
        inner["meta"] = {"versionId": "1"}
    elif choice == 2:
        inner["meta"] = {"security": [{"system": "http://x.example", "code": "x"}]}
    elif choice == 3:
        inner["contained"] = [{"resourceType": "Organization", "id": "o", "name": "x"}]
    else:
        del inner["id"]
    return f"contained {choice}"


def invariant(random, resource):
    """Breaks one of the invariants, where the resource has what it needs."""
    def period(item):
        item["start"], item["end"] = item["end"], item["start"]

    def change_range(item):
        item["low"], item["high"] = item["high"], item["low"]

    def edit(**members):
        return lambda item: item.update(copy.deepcopy(members))

    def drop(*names):
        return lambda item: [item.pop(name, None) for name in names]

    absent = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                          "code": "unknown"}]}
    in_error = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                            "code": "entered-in-error"}]}
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                          "code": "active"}]}
    options = [
        ("per-1", objects_with("start", "end"), period),
        ("per-1 precision", objects_with("start", "end"), lambda item: item.update(end=item["start"][:7])),
        ("rng-2", objects_with("low", "high"), change_range),
        ("rng-2 unit", objects_with("low", "high"), lambda item: item["low"].update(code="mg")),
        ("rng-2 value", objects_with("low", "high"), lambda item: item["low"].pop("value", None)),
        ("qty-3", objects_with("value", "code", "system"), drop("system")),
        ("sqty-1", objects_with("value", "unit"), edit(comparator="<")),
        ("rat-1", objects_with("numerator", "denominator"), drop("numerator")),
        ("mad-1", objects_with("dose", "route"), drop("dose")),
        ("obs-3", objects_with("low", "high", "text"), lambda item: (drop("low", "high", "text")(item),
                                                                     item.update(type={"text": "x"}))),
        ("ext-1 both", objects_with("url", "valueDecimal"), edit(extension=[{"url": "a", "valueCode": "b"}])),
        ("ext-1 neither", objects_with("url", "valueDecimal"), drop("valueDecimal")),
        ("cpt-2", objects_with("system", "rank"), drop("system")),
        ("tim-1", objects_with("duration", "durationUnit"), drop("durationUnit")),
        ("tim-2", objects_with("period", "periodUnit"), drop("periodUnit")),
        ("bdl-5", objects_with("resource", "request"), drop("resource", "request")),
        ("bdl-3", objects_with("resource", "request"), drop("request")),
        ("bdl-8", objects_with("fullUrl"), lambda item: item.update(fullUrl="http://h.example/Patient/1/_history/1")),
    ]
    roots = [
        ("obs-6", lambda item: any(key.startswith("value") for key in item) and item["resourceType"] == "Observation",
         edit(dataAbsentReason=absent)),
        ("obs-7", lambda item: "valueQuantity" in item and "coding" in item.get("code", {}),
         lambda item: item.update(component=[{"code": copy.deepcopy(item["code"])}])),
        ("con-4", lambda item: "abatementDateTime" in item, edit(clinicalStatus=active)),
        ("con-5", lambda item: "clinicalStatus" in item, edit(verificationStatus=in_error)),
        ("ppc-1", lambda item: "policy" in item, drop("policy")),
        ("bdl-1", lambda item: item["resourceType"] == "Bundle", edit(type="transaction", total=1)),
        ("bdl-7", lambda item: len(item.get("entry", [])) > 1,
         lambda item: item["entry"][1].update(fullUrl=item["entry"][0].get("fullUrl"))),
        ("sev-1", lambda item: item["resourceType"] == "AuditEvent",
         lambda item: item["entity"][0].update(query="cQ==")),
    ]
    random.shuffle(options)
    random.shuffle(roots)
    for name, wanted, change in (options + roots if random.random() < 0.6 else roots + options):
        if (name, wanted, change) in roots:
            fitting = [item for item in resources(resource) if wanted(item)]
            if fitting:
                change(random.choice(fitting))
                return name
        else:
            found = pick(random, resource, wanted)
            if found:
                change(found[0][found[1]])
                return f"{name} at {found[2]}"
    return None


def shadow(random, resource):
    found = pick(random, resource, lambda parent, key: is_member(parent, key)
                 and isinstance(parent[key], str) and not key.startswith("_"))
    if not found:
        return None
    parent, key, path = found
    value = random.choice([{"id": "x"}, {}, {"extension": []}, {"extension": [{"url": "http://x.example/e"}]},
                           [{"id": "x"}], "x"])
    parent["_" + key] = value
    if random.random() < 0.5:
        del parent[key]
    return f"_{key} = {value!r} at {path}"


MUTATIONS = [delete_member, delete_member, rename_member, add_unknown, wrong_kind, wrong_kind, wrong_number,
             wrong_date, wrong_text("uri", ("system", "url", "fullUrl", "uri")), wrong_text("code", ("code",)),
             wrong_id, wrong_code, wrong_coding, second_choice, wrong_choice_type, wrong_reference,
             swap_entry_references, contained, invariant, invariant, invariant, shadow]


def mutate(random, resource):
    """A changed copy and what was changed."""
    while True:
        changed = copy.deepcopy(resource)
        name = random.choice(MUTATIONS)(random, changed)
        if name is not None and changed != resource:
            return changed, name
