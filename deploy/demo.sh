#!/usr/bin/env bash
# From nothing to records on a FHIR server: installs what is missing, builds, starts the sandbox and the daemon on free
# loopback ports, submits the fixtures, shows what arrived.
#
#   deploy/demo.sh          leaves both running until Ctrl-C
#   deploy/demo.sh --once   ends by itself
#
# Can be run again at once: each run works in a folder of its own, which goes away at the end. Asks no question.
set -euo pipefail
cd "$(dirname "$0")/.."

once=no
case "${1:-}" in
  "") ;;
  --once) once=yes ;;
  -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
  *) echo "demo.sh: unknown option '$1' (--once)" >&2; exit 2 ;;
esac

say() { printf '\n== %s\n' "$*"; }

say "1/6 Debian packages"
deploy/packages.sh build demo
echo "everything needed is installed"

say "2/6 build (the first time takes some minutes)"
cmake --preset release >/dev/null
cmake --build --preset release --target fhir-adapter -j "$(nproc)" | tail -n 1
adapter=$PWD/build/release/adapter/fhir-adapter

folder=$(mktemp -d "${TMPDIR:-/tmp}/fhir-adapter-demo.XXXXXX")
pids=()
stop() {
  trap - EXIT INT TERM
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for FILE PATTERN PID: the text that a program prints when it is ready.
wait_for() {
  local deadline=$((SECONDS + 60))
  until grep -qE "$2" "$1" 2>/dev/null; do
    if ! kill -0 "$3" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      echo "demo.sh: a program did not start:" >&2
      cat "$1" >&2
      exit 3
    fi
    sleep 0.1
  done
  grep -oE "$2" "$1" | head -n 1
}

say "3/6 a FHIR server to try with (the sandbox) and the daemon"
"$adapter" sandbox --port 0 >"$folder/sandbox.log" 2>&1 &
pids+=($!)
server=$(wait_for "$folder/sandbox.log" 'http://127\.0\.0\.1:[0-9]+/fhir' "${pids[0]}")

cat >"$folder/config.toml" <<CONFIG
[site]
id = "pain-clinic"
[store]
url = "sqlite:$folder/adapter.db"
[http]
listen = "127.0.0.1:0"
[endpoint]
base_url = "$server"
patient_identifier_system = "https://hospital.example/fhir/sid/mrn"
CONFIG
"$adapter" --config "$folder/config.toml" serve >"$folder/serve.log" 2>&1 &
pids+=($!)
daemon=$(wait_for "$folder/serve.log" 'http://127\.0\.0\.1:[0-9]+' "${pids[1]}")
echo "FHIR server  $server"
echo "daemon       $daemon"

say "4/6 patients, as the hospital would have registered them, and the clinic's records"
python3 fixtures/cohort/generate.py >"$folder/cohort.ndjson"
cat fixtures/records/mg-*.json "$folder/cohort.ndjson" | jq -c -s '
  [.[].patient] | group_by(.mrn) | map(add) |
  {resourceType: "Bundle", type: "transaction", entry: map({
    resource: ({resourceType: "Patient",
      identifier: [{system: "https://hospital.example/fhir/sid/mrn", value: .mrn}], gender: .sex}
      + (if .birthDate then {birthDate} else {} end)),
    request: {method: "POST", url: "Patient",
      ifNoneExist: ("identifier=https://hospital.example/fhir/sid/mrn|" + .mrn)}})}' >"$folder/patients.json"
curl --silent --show-error --fail --output /dev/null --header 'Content-Type: application/fhir+json' \
  --data-binary "@$folder/patients.json" "$server"
echo "$(jq '.entry | length' "$folder/patients.json") patients registered"

undelivered() { "$adapter" --config "$folder/config.toml" --json queue stats | jq .undelivered; }
# wait_until_delivered: shows what is left, on a terminal as it goes down.
wait_until_delivered() {
  local deadline=$((SECONDS + 300)) left
  left=$(undelivered)
  until [ "$left" -eq 0 ]; do
    if [ -t 1 ]; then printf '\r%6d still to be delivered ' "$left"; fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "demo.sh: not everything was delivered:" >&2
      "$adapter" --config "$folder/config.toml" queue stats >&2
      exit 1
    fi
    sleep 0.2
    left=$(undelivered)
  done
  if [ -t 1 ]; then printf '\r%40s\r' ''; fi
}

echo "the three magnesium cases, the third as it was first recorded:"
"$adapter" submit --to "$daemon" fixtures/records/mg-1.json fixtures/records/mg-2.json fixtures/records/mg-3-revision-1.json
wait_until_delivered
echo "its correction, and the synthetic midazolam cohort:"
"$adapter" submit --to "$daemon" fixtures/records/mg-3-revision-2.json "$folder/cohort.ndjson"
wait_until_delivered
"$adapter" --config "$folder/config.toml" queue stats

say "5/6 what arrived"
printf '%-26s %7s\n' 'resource type' 'number'
for type in Patient Procedure MedicationAdministration MedicationRequest Observation Condition Device Encounter \
  DocumentReference AdverseEvent DetectedIssue Provenance; do
  total=$(curl --silent --show-error --fail "$server/$type?_count=0" | jq .total)
  printf '%-26s %7d\n' "$type" "$total"
done

say "6/6 one administration: the tenfold overdose of the magnesium paper, corrected by revision 2"
identifier="https://clinic.example/fhir/sid/it-administration|pain-clinic.MG-3.1"
curl --silent --show-error --fail --get --data-urlencode "identifier=$identifier" "$server/MedicationAdministration" |
  jq '.entry[0].resource' >"$folder/administration.json"
id=$(jq -r .id "$folder/administration.json")
curl --silent --show-error --fail "$server/MedicationAdministration/$id/_history" | jq -r '
  [.entry[].resource] | sort_by(.meta.versionId | tonumber) | .[] |
  "version \(.meta.versionId): \(.dosage.dose.value) \(.dosage.dose.unit) \(.contained[0].code.text // .medicationCodeableConcept.text), \(.dosage.route.coding[0].display)"'
request=$(jq -r '.request.reference // empty' "$folder/administration.json")
if [ -n "$request" ]; then
  curl --silent --show-error --fail "$server/$request" |
    jq -r '"ordered:   \(.dosageInstruction[0].doseAndRate[0].doseQuantity.value) \(.dosageInstruction[0].doseAndRate[0].doseQuantity.unit)"'
fi
curl --silent --show-error --fail "$server/DetectedIssue?_count=1000" | jq -r --arg id "$id" '
  .entry[]?.resource | select(any(.implicated[]?; .reference == "MedicationAdministration/" + $id)) |
  "issue:     \(.identifier[0].value) (\(.severity)): \(.detail // .code.text)"'

cat <<NEXT

Where to look next
  $server/MedicationAdministration/$id/_history
  $server/Provenance?_count=5
  $daemon/records/pain-clinic/MG-3        the state of each revision
  $daemon/metrics
  $adapter --config $folder/config.toml queue list
NEXT

if [ "$once" = yes ]; then exit 0; fi
echo
echo "Both run until Ctrl-C; the folder $folder goes away then."
wait "${pids[@]}"
