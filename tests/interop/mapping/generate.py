#!/usr/bin/env python3
"""Makes maps and records for the differential test against the HL7 Java engine.

    generate.py DIR [--seed N]

Each case is a folder: map.map, lib/ (imported maps and ConceptMaps), input.json and case.json. A case has several
units, each a rule with what belongs to it, that writes one element of the target, which no other unit writes: so a
difference is a difference of a unit. case.json lists the units with their element and features. The same seed gives
the same bytes.
"""

import argparse
import json
import random
from pathlib import Path

SEED = 748148
FEATURE_CASES_MIN = 10
CANONICAL = "http://differential.example/StructureMap/"
CONCEPT_MAPS = "http://differential.example/ConceptMap/"

FAMILY = ["Brönnimann", "O'Neill", "Sato", "van der Berg", "Ng", "Łukasz"]
GIVEN = ["Anna", "Kenji", "Élodie", "Tom", "Wei", "Maria del Carmen"]
USES = ["official", "usual", "nickname", "maiden"]
CITIES = ["Bern", "Kyoto", "São Paulo", "Gdańsk"]


class Unit:
    """A rule with what belongs to it. `element`: of the target; `features`: what it exercises."""

    def __init__(self, name, element, features, rules, groups="", lib="", concept_maps=(), head=""):
        self.name = name
        self.element = element
        self.features = features
        self.rules = rules
        self.groups = groups
        self.lib = lib  # groups of the imported map
        self.concept_maps = list(concept_maps)
        self.head = head


# ---------------------------------------------------------------------------------------------------------- records


def date(random_, low=1930, high=2020):
    return f"{random_.randint(low, high)}-{random_.randint(1, 12):02}-{random_.randint(1, 28):02}"


def patient(r):
    """A Patient with everything that the units read: lists of two to four, so that list modes differ."""
    names = []
    for use in r.sample(USES, r.randint(2, 4)):
        name = {"use": use, "family": r.choice(FAMILY), "given": r.sample(GIVEN, r.randint(1, 3))}
        if r.random() < 0.5:
            name["text"] = name["given"][0] + " " + name["family"]
        names.append(name)
    telecom = [
        {"system": system, "value": value + str(r.randint(100, 999)), "use": r.choice(["home", "work"])}
        for system, value in r.sample([("phone", "+41 31 "), ("email", "a@example.org"), ("fax", "555"), ("url", "http://x.example/")],
                                      r.randint(2, 4))
    ]
    record = {
        "resourceType": "Patient",
        "id": f"p{r.randint(1, 9999)}",
        "identifier": [
            {"system": f"http://hospital.example/sid/{n}", "value": f"{r.randint(0, 99999):05}"} for n in range(r.randint(2, 3))
        ],
        "active": r.random() < 0.5,
        "name": names,
        "telecom": telecom,
        "gender": r.choice(["male", "female", "other", "unknown"]),
        "birthDate": date(r),
        "address": [
            {"city": r.choice(CITIES), "line": [f"Main Street {n}", "c/o"][: r.randint(1, 2)], "postalCode": f"{r.randint(1000, 9999)}"}
            for n in range(r.randint(1, 3))
        ],
        "maritalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": r.choice(["M", "S", "D", "W"])}],
            "text": "as told",
        },
        "multipleBirthInteger": r.randint(1, 4),
        "contact": [
            {"name": {"family": r.choice(FAMILY)}, "telecom": [{"system": "phone", "value": f"{r.randint(100, 999)}"}]}
            for _ in range(r.randint(1, 3))
        ],
        "generalPractitioner": [{"reference": f"Practitioner/{r.randint(1, 99)}", "display": "GP"}],
        "extension": [{"url": "http://differential.example/ext", "valueString": f"x{r.randint(1, 99)}"}],
    }
    if r.random() < 0.5:
        record["deceasedBoolean"] = r.random() < 0.5
    else:
        record["deceasedDateTime"] = date(r, 2021, 2024) + r.choice(["", "T10:30:00Z", "T10:30:00+01:00"])
    return record


# ------------------------------------------------------------------------------------------------------------ units
# A factory takes (random, element) and gives the text of a rule that writes into this element, or a Unit. The source
# variable is `src` (a Patient), the target variable `tgt` (an Observation).


def text_source(r):
    """A source path with one text."""
    return r.choice(["src.gender", "src.id", "src.birthDate", "src.maritalStatus.text"])


def free_element(r, elements, used):
    free = [e for e in elements if e not in used]
    return r.choice(free) if free else None


CONCEPTS = ["code", "method", "bodySite", "dataAbsentReason"]
LISTS = ["category", "interpretation"]
TEXTS = ["code", "method", "bodySite", "dataAbsentReason", "category", "interpretation"]

UNITS = {}


def unit(*features, elements=TEXTS):
    def register(factory):
        UNITS[factory.__name__] = (factory, features, elements)
        return factory

    return register


def concept_text(element, value):
    """Writes `value` (the text of a transform) as the text of a CodeableConcept."""
    return f"tgt.{element} as cc{element}, cc{element}.text = {value}"


@unit("transform:copy")
def copy_call(r, e):
    return f"{text_source(r)} as v -> {concept_text(e, 'copy(v)')}"


@unit("transform:copy")
def copy_variable(r, e):
    return f"{text_source(r)} as v -> {concept_text(e, 'v')}"


@unit("transform:copy")
def copy_constant(r, e):
    return "src -> " + concept_text(e, "'fixed " + r.choice(["text", "ü", "it\\'s"]) + "'")


@unit("transform:create", elements=["value"])
def create_quantity(r, e):
    return f"src.multipleBirth : integer as v -> tgt.value = create('Quantity') as q, q.value = v, q.unit = '{r.choice(['mg', 'mL'])}'"


@unit("transform:create", elements=["value"])
def create_period(r, e):
    return "src.birthDate as v -> tgt.value = create('Period') as p, p.start = v"


@unit("transform:create", elements=["effective"])
def create_timing(r, e):
    return "src.birthDate as v -> tgt.effective = create('Period') as p, p.end = v"


@unit("transform:truncate")
def truncate(r, e):
    return f"{text_source(r)} as v -> {concept_text(e, f'truncate(v, {r.randint(1, 12)})')}"


@unit("transform:escape")
def escape(r, e):
    return "src.maritalStatus.text as v -> " + concept_text(e, "escape(v, 'html', 'json')")


@unit("transform:cast")
def cast_string(r, e):
    source = r.choice(["src.multipleBirth : integer", "src.gender", "src.birthDate"])
    return f"{source} as v -> " + concept_text(e, "cast(v, 'string')")


@unit("transform:cast", elements=["value"])
def cast_integer(r, e):
    return "src.multipleBirth : integer as v -> tgt.value = cast(v, 'integer')"


@unit("transform:append")
def append(r, e):
    parts = ["v"] + [f"'{r.choice(['-', ' / ', 'ö'])}'" for _ in range(r.randint(0, 3))]
    r.shuffle(parts)
    return f"{text_source(r)} as v -> " + concept_text(e, f"append({', '.join(parts)})")


@unit("transform:translate", "conceptmap:inline")
def translate_code(r, e):
    return "src.gender as v -> " + concept_text(e, "translate(v, '#genders', 'code')")


@unit("transform:translate", "conceptmap:resource", elements=LISTS + CONCEPTS)
def translate_coding(r, e):
    return (
        "src.maritalStatus as m then { m.coding as c -> "
        f"tgt.{e} as cc, cc.coding = translate(c, '{CONCEPT_MAPS}marital', 'Coding') \"translated\"; }}"
    )


@unit("transform:translate", "translate:unmapped", elements=LISTS + CONCEPTS)
def translate_unmapped(r, e):
    return (
        "src.maritalStatus as m then { m.coding as c -> "
        f"tgt.{e} as cc, cc.text = 'before', cc.coding = translate(c, '{CONCEPT_MAPS}nothing', 'Coding') \"translated\"; }}"
    )


@unit("transform:reference", elements=["subject"])
def reference(r, e):
    return "src -> tgt.subject as s, s.reference = reference(src)"


@unit("transform:uuid", elements=["identifier"])
def uuid(r, e):
    return "src -> tgt.identifier as i, i.value = uuid()"


@unit("transform:pointer", elements=["encounter"])
def pointer(r, e):
    return "src -> tgt.encounter as s, s.reference = pointer(src)"


@unit("transform:evaluate")
def evaluate(r, e):
    expression = r.choice(["name.first().family", "name.count().toString()", "gender.upper()", "birthDate.toString().substring(0, 4)"])
    return f"src -> {concept_text(e, f'evaluate(src, {expression})')}"


@unit("expression")
def expression(r, e):
    text = r.choice(
        [
            "src.name.first().family + '!'",
            "src.name.given.first()",
            "src.telecom.where(system = 'phone').value.first()",
            "iif(src.active, 'yes', 'no')",
            "src.name.family.distinct().count().toString()",
            "src.identifier.value.join(',')",
            "src.name.exists(use = 'official').toString()",
            "src.address.line.first().indexOf('Street').toString()",
            "(src.name.count() + src.telecom.count()).toString()",
        ]
    )
    return f"src -> {concept_text(e, f'({text})')}"


@unit("expression:several", elements=["identifier"])
def expression_several(r, e):
    return "src -> tgt.identifier as i, i.value = (src.name.given.first()), i.extension as x, x.value = (src.telecom.value.first())"


@unit("transform:evaluate", elements=["contained"])
def evaluate_several(r, e):
    path = r.choice(["src, name.family", "src, telecom.value"])
    return f"src -> tgt.contained = create('Patient') as p, p.name as n, n.given = evaluate({path})"


@unit("transform:cc", elements=LISTS + CONCEPTS)
def codeable_concept(r, e):
    arguments = r.choice(["'http://s.example', v", "'http://s.example', v, 'Display'", "v"])
    return f"src.gender as v -> tgt.{e} = cc({arguments})"


@unit("transform:c", elements=LISTS + CONCEPTS)
def coding(r, e):
    arguments = r.choice(["'http://s.example', v", "'http://s.example', v, 'Display'"])
    return f"src.gender as v -> tgt.{e} as cc, cc.coding = c({arguments})"


@unit("transform:qty", elements=["value"])
def quantity(r, e):
    arguments = r.choice(["'4.50 mg'", "'12', 'mL'", "v, 'mg', 'http://unitsofmeasure.org', 'mg'"])
    return f"src.multipleBirth : integer as v -> tgt.value = qty({arguments})"


@unit("transform:id", elements=["identifier"])
def identifier(r, e):
    arguments = r.choice(["'http://s.example/sid', v", "'http://s.example/sid', v, 'MR'"])
    return f"src.id as v -> tgt.identifier = id({arguments})"


@unit("transform:cp", elements=["contained"])
def contact_point(r, e):
    arguments = r.choice(["'phone', v", "v", "'email', v"])
    return (
        "src.telecom first as t then { t.value as v -> tgt.contained = create('Patient') as p, "
        f"p.telecom = cp({arguments}) \"point\"; }}"
    )


@unit("transform:toDateTime", "dates", elements=["effective"])
def to_date_time(r, e):
    return "src.birthDate as v -> tgt.effective = toDateTime(v)"


@unit("transform:toDate", "dates")
def to_date(r, e):
    return "src.birthDate as v -> " + concept_text(e, "toDate(v)")


@unit("transform:toTime", "dates")
def to_time(r, e):
    return "src -> " + concept_text(e, "toTime('10:20:30')")


@unit("transform:unixToDateTime", "dates", elements=["issued"])
def unix_to_date_time(r, e):
    return f"src -> tgt.issued = unixToDateTime({r.randint(1, 2_000_000_000)})"


@unit("transform:unixToDate", "dates")
def unix_to_date(r, e):
    return "src -> " + concept_text(e, f"unixToDate({r.randint(1, 2_000_000_000)})")


@unit("transform:unixToTime", "dates")
def unix_to_time(r, e):
    return "src -> " + concept_text(e, f"unixToTime({r.randint(1, 2_000_000_000)})")


@unit("transform:dateOp", "dates")
def date_operation(r, e):
    return "src.birthDate as v -> " + concept_text(e, "dateOp(v, 'add', '1')")


def source_mode(mode):
    def factory(r, e):
        source, path = r.choice([("name", "family"), ("telecom", "value"), ("identifier", "value"), ("address", "city")])
        return f"src.{source} {mode} as v then {{ v.{path} as w -> tgt.{e} as cc, cc.text = w \"inner\"; }}"

    factory.__name__ = "source_" + mode
    return factory


for mode_ in ["first", "last", "not_first", "not_last"]:
    unit("source:" + mode_, elements=LISTS)(source_mode(mode_))


@unit("source:only_one")
def only_one(r, e):
    return "src.generalPractitioner only_one as v then { v.display as w -> " + concept_text(e, "w") + ' "inner"; }'


@unit("source:only_one", "only_one:several")
def only_one_of_several(r, e):
    return "src.name only_one as v then { v.family as w -> " + concept_text(e, "w") + ' "inner"; }'


def share(r, e):
    return (
        f"src.name first as v then {{ v.family as w -> tgt.{e} as cc share one, cc.text = w \"family\"; "
        f"v.use as u -> tgt.{e} as dd share one, dd.coding = c('http://u.example', u) \"use\"; }}"
    )


unit("target:share", elements=LISTS)(share)


@unit("target:single", elements=LISTS)
def single(r, e):
    return (
        f"src.name as v then {{ v.family as w -> tgt.{e} as cc single, cc.text = w \"family\"; "
        f"v.use as u -> tgt.{e} as dd single, dd.coding = c('http://u.example', u) \"use\"; }}"
    )


def target_mode(mode):
    # The rule with the mode stands where it makes a difference: `first` behind others, `last` before them.
    def factory(r, e):
        marked = f"src.gender as v -> tgt.{e} as a {mode} then {{ src.id as g -> a.{{path}} = g \"a\"; }} \"marked\""
        other = f"src.birthDate as v -> tgt.{e} as b then {{ src.gender as g -> b.{{path}} = g \"b\"; }} \"other\""
        path = "text" if e in LISTS + ["note"] else "value"
        rules = [other, marked] if mode == "first" else [marked, other]
        return "src as again then { " + " ".join(rule.replace("{path}", path) + ";" for rule in rules) + " }"

    factory.__name__ = "target_" + mode
    return factory


for mode_ in ["first", "last"]:
    unit("target:" + mode_, elements=LISTS + ["note", "identifier"])(target_mode(mode_))


@unit("where", elements=LISTS)
def where(r, e):
    condition = r.choice(["$this.use = 'official'", "use = 'usual' or use = 'maiden'", "given.count() > 1", "text.exists()", "family.length() > 4"])
    return f"src.name as v where ({condition}) then {{ v.family as w -> tgt.{e} as cc, cc.text = w \"inner\"; }}"


@unit("where", elements=LISTS)
def where_nested(r, e):
    return f"src.telecom as t where (system = 'phone') then {{ t.value as v where ($this.length() > 1) -> tgt.{e} as cc, cc.text = v \"inner\"; }}"


@unit("check")
def check_passes(r, e):
    return f"src.birthDate as v check ($this.exists()) -> {concept_text(e, 'v')}"


@unit("check", "check:fails")
def check_fails(r, e):
    return f"src.gender as v check ($this = 'nothing') -> {concept_text(e, 'v')}"


@unit("log")
def log(r, e):
    return f"src.gender as v log ('seen') -> {concept_text(e, 'v')}"


@unit("default")
def default(r, e):
    return "src.maritalStatus as m then { m.id default ('none') as v -> " + concept_text(e, "v") + ' "inner"; }'


@unit("permutation", elements=LISTS)
def permutation(r, e):
    return f"src.name as n, src.telecom as t -> tgt.{e} as cc, cc.text = (%n.family + ' ' + %t.value)"


@unit("cardinality", "cardinality:holds")
def cardinality_holds(r, e):
    return "src.gender : code 1..1 as v -> " + concept_text(e, "v")


@unit("cardinality", "cardinality:broken")
def cardinality_broken(r, e):
    return "src.name : HumanName 0..1 as v then { v.family as w -> " + concept_text(e, "w") + ' "inner"; }'


@unit("import", elements=LISTS)
def imported(r, e):
    group = f"Imported{e}"
    return Unit(
        "imported", e, ["import"],
        f"src.name as v -> tgt.{e} as cc then {group}(v, cc)",
        lib=f"group {group}(source v : HumanName, target cc : CodeableConcept) {{\n  v.family as w -> cc.text = w \"text\";\n}}\n",
    )


@unit("dependent", elements=LISTS)
def dependent(r, e):
    group = f"Dependent{e}"
    return Unit(
        "dependent", e, ["dependent"],
        f"src.telecom as v -> tgt.{e} as cc then {group}(v, cc)",
        groups=f"group {group}(source v : ContactPoint, target cc : CodeableConcept) {{\n  v.value as w -> cc.text = w \"text\";\n"
        f"  v.system as s -> cc.coding as k, k.code = s \"code\";\n}}\n",
    )


@unit("dependent", "extends", elements=LISTS)
def extends(r, e):
    group = f"Extending{e}"
    return Unit(
        "extends", e, ["extends"],
        f"src.name as v -> tgt.{e} as cc then {group}(v, cc)",
        groups=f"group Base{e}(source v : HumanName, target cc : CodeableConcept) {{\n  v.family as w -> cc.text = w \"text\";\n}}\n\n"
        f"group {group}(source v : HumanName, target cc : CodeableConcept) extends Base{e} {{\n"
        f"  v.use as u -> cc.coding as k, k.code = u \"use\";\n}}\n",
    )


@unit("default-group", elements=["method"])
def default_group(r, e):
    return Unit(
        "default_group", e, ["default-group"],
        "src.maritalStatus -> tgt.method",
        groups="group Concepts(source v : CodeableConcept, target cc : CodeableConcept) <<types>> {\n  v.text as w -> cc.text = append('by default: ', w) \"text\";\n}\n",
    )


@unit("choice")
def choice_source(r, e):
    return "src.deceased : boolean as v -> " + concept_text(e, "'is a boolean'")


@unit("choice", elements=["value"])
def choice_value(r, e):
    return r.choice(["src.gender as v -> tgt.value = v", "src.active as v -> tgt.value = v", "src.maritalStatus as v -> tgt.value = v"])


@unit("copy:complex", elements=["identifier", "performer"])
def copy_complex(r, e):
    if e == "identifier":
        return "src.identifier as v -> tgt.identifier = v"
    return "src.generalPractitioner as v -> tgt.performer = v"


@unit("copy:simple-form", elements=["identifier"])
def simple_form(r, e):
    return "src.identifier -> tgt.identifier"


@unit("backbone", elements=["component"])
def backbone(r, e):
    return (
        "src.contact as c -> tgt.component as k then { c.name as n then { n.family as f -> k.code as cc, cc.text = f \"f\"; } \"n\"; "
        "c.telecom as t then { t.value as v -> k.value = v \"v\"; } \"t\"; }"
    )


@unit("extension", elements=["extension"])
def extension(r, e):
    return "src.extension as x -> tgt.extension as y then { x.url as u -> y.url = u \"u\"; x.value : string as v -> y.value = v \"v\"; }"


@unit("contained", elements=["contained"])
def contained(r, e):
    return "src -> tgt.contained = create('Patient') as p, p.id = 'c1' then { src.name first as n -> p.name = n \"n\"; }"


@unit("let")
def constant(r, e):
    return Unit("constant", e, ["let"], "src -> " + concept_text(e, f"(%fixed{e})"), head=f"let fixed{e} = 'constant {r.randint(1, 99)}';\n")


@unit("primitive-list", elements=["note"])
def notes(r, e):
    return "src.address as a then { a.line as l -> tgt.note as n, n.text = l \"line\"; }"


# ------------------------------------------------------------------------------------------------------------ cases

# What the other engine cannot even read, or ends with an error: kept together, so that few cases are lost to it.
APART = [
    "escape",
    "to_date_time", "to_date", "to_time", "unix_to_date_time", "unix_to_date", "unix_to_time",
    "date_operation",
    "permutation", "pointer", "evaluate_several", "only_one_of_several", "check_fails", "cardinality_broken",
]
# Of these one a case, since the first fault ends the run.
ALONE = {"permutation", "pointer", "evaluate_several", "evaluate_several", "only_one_of_several", "check_fails", "cardinality_broken", "date_operation", "escape"}

GENDERS = """conceptmap "genders" {
  prefix s = "http://hl7.org/fhir/administrative-gender"
  prefix t = "http://differential.example/genders"

  s:male == t:M
  s:female == t:F
  s:other == t:X
  s:unknown == t:U
}
"""


def concept_maps():
    system = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"

    def table(name, codes):
        return {
            "resourceType": "ConceptMap", "id": name, "url": CONCEPT_MAPS + name, "version": "1", "status": "active", "name": name,
            "group": [
                {
                    "source": system, "target": "http://differential.example/marital",
                    "element": [{"code": c, "target": [{"code": t, "display": d, "equivalence": "equal"}]} for c, t, d in codes],
                    "unmapped": {"mode": "provided"},
                }
            ],
        }

    full = [("M", "married", "Married"), ("S", "single", "Single"), ("D", "divorced", "Divorced"), ("W", "widowed", "Widowed")]
    return [table("marital", full), table("nothing", [("ZZ", "z", "Z")])]


def make_unit(r, name, used):
    factory, features, elements = UNITS[name]
    element = free_element(r, elements, used)
    if element is None:
        return None
    made = factory(r, element)
    if not isinstance(made, Unit):
        made = Unit(name, element, [], made)
    made.features = list(features)
    return made


def write_case(folder, number, units, r):
    folder.mkdir(parents=True)
    (folder / "lib").mkdir()
    url = f"{CANONICAL}case-{number}"
    text = f'map "{url}" = "Case{number}"\n\n'
    if any("conceptmap:inline" in u.features for u in units):
        text += GENDERS + "\n"
    text += 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source\n'
    text += 'uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target\n\n'
    libs = [u.lib for u in units if u.lib]
    if libs:
        imported_url = f"{CANONICAL}lib-{number}"
        text += f'imports "{imported_url if number % 2 else CANONICAL + "lib-*"}"\n\n'
        lib = f'map "{imported_url}" = "Lib{number}"\n\n'
        lib += 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source\n'
        lib += 'uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target\n\n'
        (folder / "lib" / "lib.map").write_text(lib + "\n".join(libs), encoding="utf-8")
    text += "".join(u.head for u in units)
    text += "\ngroup Main(source src : Patient, target tgt : Observation) {\n"
    for u in units:
        text += f'  {u.rules} "{u.name}";\n'
    text += "}\n\n" + "\n".join(u.groups for u in units if u.groups)
    (folder / "map.map").write_text(text, encoding="utf-8")
    for table in concept_maps():
        if any(table["url"] in u.rules for u in units):
            (folder / "lib" / f"{table['id']}.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
    (folder / "input.json").write_text(json.dumps(patient(r), ensure_ascii=False, indent=1), encoding="utf-8")
    described = [{"name": u.name, "element": u.element, "features": u.features} for u in units]
    (folder / "case.json").write_text(json.dumps({"units": described}, indent=1), encoding="utf-8")


def plan(r):
    """Which units stand in which case: each unit in at least as many cases as it wants."""
    cases = []
    wanted = dict.fromkeys(UNITS, FEATURE_CASES_MIN)
    common = [name for name in UNITS if name not in APART]
    for name in APART:
        if name in ALONE:
            for _ in range(wanted.pop(name)):
                cases.append([name] + r.sample(common, 2))
    dates = [name for name in APART if name not in ALONE]
    for _ in range(FEATURE_CASES_MIN):
        cases.append(list(dates))
    for name in dates:
        wanted.pop(name)
    while any(count > 0 for count in wanted.values()) or len(cases) < 330:
        size = r.randint(3, 6)
        # What has been seen least comes first.
        order = sorted(common, key=lambda name: (-wanted[name], r.random()))
        case = order[:2] + r.sample(order[2:], size - 2)
        for name in case:
            wanted[name] -= 1
        cases.append(case)
    return cases


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    r = random.Random(arguments.seed)
    missing = dict.fromkeys(UNITS, FEATURE_CASES_MIN)
    number = 0
    for names in plan(r):
        used, units = set(), []
        for name in names:
            made = make_unit(r, name, used)
            if made is None:
                continue
            used.add(made.element)
            units.append(made)
            missing[name] -= 1
        number += 1
        write_case(arguments.folder / f"case-{number:03}", number, units, r)
    # A unit whose element was always taken gets cases of its own.
    for name, count in missing.items():
        for _ in range(count):
            number += 1
            write_case(arguments.folder / f"case-{number:03}", number, [make_unit(r, name, set())], r)


if __name__ == "__main__":
    main()
