#!/usr/bin/env python3
"""Generates the schema table of a FHIR version from its official definitions.

    generate_schema.py DEFINITIONS OUTPUT [--name R4] [--version 4.0.1]

DEFINITIONS is a folder with profiles-types.json, profiles-resources.json, valuesets.json and, where the
version has them, v2-tables.json and v3-codesystems.json (Bundles, as in the package `definitions.json`).
OUTPUT is a C++ file that defines the table k<name>Tables declared in fhir/schema_tables.h. The same input
gives the same bytes. A definition of another FHIR version is refused: R4B looks like R4 and is not.

Python 3, standard library only.
"""

import argparse
import json
import os
import sys

CORE_PREFIX = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_PREFIX = "http://hl7.org/fhirpath/System."
UNBOUNDED = "kUnbounded"
MASK = 0xFFFFFFFF


def read_resources(folder, file_name, required=True):
    path = os.path.join(folder, file_name)
    if not os.path.exists(path):
        if required:
            sys.exit(f"{path}: not found")
        return []
    with open(path, encoding="utf-8") as stream:
        return [entry["resource"] for entry in json.load(stream)["entry"]]


def fnv1a(text):
    """The hash of HashName in schema_tables.h."""
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & MASK
    return value


def slots_of(names):
    """Open addressing with linear probing, at most half full; 0 is empty, else index + 1."""
    size = 2
    while size < 2 * len(names):
        size *= 2
    slots = [0] * size
    for index, name in enumerate(names):
        at = fnv1a(name) & (size - 1)
        while slots[at]:
            at = (at + 1) & (size - 1)
        slots[at] = index + 1
    return slots


class ValueSets:
    """Complete code lists; None for what cannot be enumerated."""

    def __init__(self, resources):
        self.value_sets = {r["url"]: r for r in resources if r["resourceType"] == "ValueSet"}
        self.code_systems = {r["url"]: r for r in resources if r["resourceType"] == "CodeSystem"}

    def concepts(self, concepts, parent=None):
        for concept in concepts:
            yield concept, parent
            yield from self.concepts(concept.get("concept", []), concept["code"])

    def system_codes(self, include):
        system = self.code_systems.get(include["system"])
        if system is None or system.get("content") != "complete":
            return None
        rows = list(self.concepts(system.get("concept", [])))
        codes = [concept["code"] for concept, _ in rows]
        for condition in include.get("filter", []):
            if condition["op"] not in ("is-a", "descendent-of") or condition["property"] != "concept":
                return None
            kept = {condition["value"]}
            for concept, parent in rows:  # parents come before their children
                parents = {parent} | {p.get("valueCode") for p in concept.get("property", [])
                                      if p.get("code") in ("subsumedBy", "parent")}
                if kept & parents:
                    kept.add(concept["code"])
            if condition["op"] == "descendent-of":
                kept.discard(condition["value"])
            codes = [code for code in codes if code in kept]
        return codes

    def expand(self, url, open_urls=()):
        url = url.split("|")[0]
        value_set = self.value_sets.get(url)
        if value_set is None or url in open_urls:
            return None
        compose = value_set.get("compose", {})
        if "exclude" in compose or not compose.get("include"):
            return None
        rows = {}
        for include in compose["include"]:
            part = self.expand_include(include, open_urls + (url,))
            if part is None:
                return None
            rows.update(dict.fromkeys(part))
        return list(rows)

    def expand_include(self, include, open_urls):
        part = None
        if "system" in include:
            if include.get("concept"):
                codes = [concept["code"] for concept in include["concept"]]
            else:
                codes = self.system_codes(include)
            if codes is None:
                return None
            part = [(include["system"], code) for code in codes]
        for other in include.get("valueSet", []):
            rows = self.expand(other, open_urls)
            if rows is None:
                return None
            part = rows if part is None else [row for row in part if row in set(rows)]
        return part


class Element:
    def __init__(self, definition, owner):
        path = definition["path"]
        self.path = path
        self.name = path.rsplit(".", 1)[1]
        self.is_choice = self.name.endswith("[x]")
        if self.is_choice:
            self.name = self.name[:-3]
        self.min = definition["min"]
        self.max = UNBOUNDED if definition["max"] == "*" else definition["max"]
        self.is_modifier = definition.get("isModifier", False)
        self.owner = owner
        self.types = []  # (type name, [target names], is simple quantity)
        self.binding = None
        binding = definition.get("binding", {})
        if binding.get("strength") == "required" and "valueSet" in binding:
            self.binding = binding["valueSet"].split("|")[0]


class Type:
    def __init__(self, name, url, kind, abstract, base):
        self.name, self.url, self.kind, self.abstract, self.base = name, url, kind, abstract, base
        self.elements = []


def short_name(url):
    return url[len(CORE_PREFIX):] if url.startswith(CORE_PREFIX) else url


class Schema:
    """All types, in the order of the definitions, each followed by its backbones."""

    def __init__(self):
        self.types = {}

    def add(self, structure):
        kind = {"primitive-type": "kPrimitive", "complex-type": "kComplex", "resource": "kResource"}
        base = short_name(structure.get("baseDefinition", "")) or None
        root = Type(structure["name"], structure["url"], kind[structure["kind"]],
                    structure["abstract"], base)
        self.types[root.name] = root
        elements = structure["snapshot"]["element"]
        parents = {element["path"].rsplit(".", 1)[0] for element in elements[1:]}
        holders = {root.name: root}
        for definition in elements[1:]:
            path = definition["path"]
            holder = holders[path.rsplit(".", 1)[0]]
            if root.kind == "kPrimitive" and path == root.name + ".value":
                continue
            element = Element(definition, self.owner_of(definition, holder))
            if path in parents:
                backbone = Type(path, "", "kBackbone", False, definition["type"][0]["code"])
                self.types[path] = holders[path] = backbone
                element.types = [(path, [], False)]
            else:
                element.types = list(self.types_of(definition))
            holder.elements.append(element)

    @staticmethod
    def owner_of(definition, holder):
        declared = definition.get("base", {}).get("path", definition["path"]).rsplit(".", 1)[0]
        return declared if declared in ("Element", "BackboneElement", "Resource", "DomainResource",
                                        "Quantity") else holder.name

    @staticmethod
    def types_of(definition):
        if "contentReference" in definition:
            yield definition["contentReference"].rsplit("#", 1)[1], [], False
            return
        for kind in definition.get("type", []):
            code = kind["code"]
            if code.startswith(SYSTEM_PREFIX):
                # The JSON attributes: Resource.id has the format of id although 4.0.1 types it as string.
                is_resource_id = definition.get("base", {}).get("path") == "Resource.id"
                code = "id" if is_resource_id else "uri" if definition["path"] == "Extension.url" else "string"
            targets = sorted({short_name(url) for url in kind.get("targetProfile", [])})
            if "Resource" in targets:
                targets = []
            simple = any(url.endswith("/SimpleQuantity") for url in kind.get("profile", []))
            yield code, targets, simple


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"sv'


class Writer:
    """Collects the arrays; equal runs of element types, targets and slots are written once."""

    def __init__(self, schema, value_sets):
        self.types = list(schema.types.values())
        self.index = {t.name: i for i, t in enumerate(self.types)}
        self.elements, self.properties = [], []
        self.slots, self.slot_runs = [], {}
        self.element_types, self.type_runs = [], {}
        self.targets, self.target_runs = [], {}
        self.value_sets, self.value_set_index, self.codes = [], {}, []
        urls = sorted({e.binding for t in self.types for e in t.elements if e.binding})
        for url in urls:
            rows = value_sets.expand(url)
            if rows is None:
                print(f"note: {url} cannot be enumerated", file=sys.stderr)
                continue
            rows.sort(key=lambda row: (row[1], row[0]))
            self.value_set_index[url] = len(self.value_sets)
            self.value_sets.append((url, len(self.codes), len(rows)))
            self.codes += rows

    def type_reference(self, name):
        return f"&kTypes[{self.index[name]}]"

    @staticmethod
    def run(pool, runs, items):
        key = tuple(items)
        if not key:
            return 0, 0
        if key not in runs:
            runs[key] = len(pool)
            pool.extend(items)
        return runs[key], len(key)

    def span(self, array, first, count):
        return f"{{{array} + {first}, {count}}}" if count else "{}"

    def add_type(self, item):
        first, rows = len(self.elements), []
        for order, element in enumerate(item.elements):
            entries = []
            for name, targets, simple in element.types:
                json_name = element.name
                if element.is_choice:
                    json_name += name[0].upper() + name[1:]
                target_span = self.span("kTargets", *self.run(self.targets, self.target_runs, targets))
                entries.append(f"{{{self.type_reference(name)}, {target_span}, {quoted(json_name)}, "
                               f"{'true' if simple else 'false'}}}")
                reference = f"&kElements[{first + order}]"
                rows.append((json_name, reference, self.type_reference(name)))
            if element.is_choice:
                rows.append((element.name, f"&kElements[{first + order}]", "nullptr"))
            types = self.span("kElementTypes", *self.run(self.element_types, self.type_runs, entries))
            binding = self.value_set_index.get(element.binding)
            self.elements.append(
                f"{{{quoted(element.name)}, {element.min}, {element.max}, "
                f"{'true' if element.is_choice else 'false'}, {'true' if element.is_modifier else 'false'}, "
                f"{order}, {types}, {'nullptr' if binding is None else f'&kValueSets[{binding}]'}, "
                f"{self.type_reference(element.owner)}}},  // {element.path}")
        rows.sort(key=lambda row: row[0])
        property_first = len(self.properties)
        self.properties += [f"{{{quoted(name)}, {element}, {kind}}}," for name, element, kind in rows]
        slot_first, slot_count = self.run(self.slots, self.slot_runs, slots_of([row[0] for row in rows]))
        base = self.type_reference(item.base) if item.base else "nullptr"
        return (f"{{{quoted(item.name)}, {quoted(item.url)}, TypeKind::{item.kind}, "
                f"{'true' if item.abstract else 'false'}, {base}, "
                f"{self.span('kElements', first, len(item.elements))}, "
                f"{{{self.span('kProperties', property_first, len(rows))}, "
                f"{self.span('kSlots', slot_first, slot_count)}}}}},")

    def text(self, name, version):
        types = [self.add_type(item) for item in self.types]
        type_slots = slots_of([item.name for item in self.types])
        out = [
            f"// The schema table of FHIR {version}. Generated by fhir/generator/generate_schema.py from the",
            "// official definitions; do not edit.",
            '#include "fhir/schema_tables.h"', "",
            "namespace fhir_adapter::fhir {", "namespace {", "",
            "using std::string_view_literals::operator\"\"sv;", "",
            f"extern const TypeInfo kTypes[{len(types)}];", ""]
        out += self.array("std::string_view", "kTargets", [quoted(t) + "," for t in self.targets])
        out += self.array("std::uint16_t", "kSlots", self.lines_of_numbers(self.slots))
        out += self.array("std::uint16_t", "kTypeSlots", self.lines_of_numbers(type_slots))
        out += self.array("ValueSetInfo::Row", "kCodes",
                          [f"{{{quoted(s)}, {quoted(c)}}}," for s, c in self.codes])
        out += self.array("ValueSetInfo", "kValueSets",
                          [f"{{{quoted(u)}, {self.span('kCodes', f, n)}}}," for u, f, n in self.value_sets])
        out += self.array("ElementType", "kElementTypes", [e + "," for e in self.element_types])
        out += self.array("ElementInfo", "kElements", self.elements)
        out += self.array("PropertyRow", "kProperties", self.properties)
        out += [f"constinit const TypeInfo kTypes[{len(types)}] = {{"]
        out += ["    " + line for line in types] + ["};", "", "}  // namespace", ""]
        out += [f"constinit const SchemaTables k{name}Tables = {{{quoted(version)}, kTypes, kTypeSlots, kValueSets}};",
                "", "}  // namespace fhir_adapter::fhir", ""]
        return "\n".join(out)

    @staticmethod
    def array(kind, name, lines):
        return [f"constexpr {kind} {name}[] = {{"] + ["    " + line for line in lines] + ["};", ""]

    @staticmethod
    def lines_of_numbers(numbers):
        return [", ".join(map(str, numbers[i:i + 24])) + "," for i in range(0, len(numbers), 24)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("definitions")
    parser.add_argument("output")
    parser.add_argument("--name", default="R4")
    parser.add_argument("--version", default="4.0.1")
    options = parser.parse_args()

    schema = Schema()
    terminology = []
    for file_name in ("profiles-types.json", "profiles-resources.json"):
        for resource in read_resources(options.definitions, file_name):
            if resource["resourceType"] != "StructureDefinition":
                continue
            if resource.get("fhirVersion") != options.version:
                sys.exit(f"{file_name}: {resource['name']} is of FHIR {resource.get('fhirVersion')}, "
                         f"not {options.version}")
            if resource.get("derivation") != "constraint" and resource["kind"] != "logical":
                schema.add(resource)
    for file_name, required in (("valuesets.json", True), ("v2-tables.json", False),
                                ("v3-codesystems.json", False)):
        terminology += read_resources(options.definitions, file_name, required)
    writer = Writer(schema, ValueSets(terminology))
    with open(options.output, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(writer.text(options.name, options.version))


if __name__ == "__main__":
    main()
