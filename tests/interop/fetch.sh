#!/usr/bin/env bash
# Builds the Java peers of the interop tests (HAPI FHIR server, HAPI validator, HL7 mapping engine, HAPI HL7v2) into a cache outside
# the source tree.
#
#   fetch.sh [hapi-server] [validator] [java-engine] [hl7v2-sender]     all when none is named
#   fetch.sh --relock [MODULE...]          accepts what Maven brings and rewrites jars.sha256 (after a pom changed)
#
# Cache: $FHIR_ADAPTER_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fhir-adapter. A second run does nothing. Every jar is
# compared with the checksums in MODULE/jars.sha256. Installs no packages.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

maven_attempts=4
relock=false

# What is being built: gone when the script ends, whatever the reason, unless it was complete and got its name.
partial=""
trap '[[ -z "$partial" ]] || rm -rf "$partial" "$partial.log"' EXIT

require() {
  local command="$1" package="$2"
  if ! command -v "$command" >/dev/null; then
    echo "fetch.sh: '$command' is missing: install the package $package" >&2
    exit 3
  fi
}

copy_dependencies() {
  local module="$1" target="$2" log="$2.log" attempt
  local -a update=()
  for ((attempt = 1; attempt <= maven_attempts; attempt++)); do
    # The pom pins the version of the plugin.
    if mvn -B -ntp "${update[@]}" -f "$interop_root/$module/pom.xml" \
      org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$target" >"$log" 2>&1; then
      rm "$log"
      return 0
    fi
    if ! grep -qiE 'could not transfer|timed? ?out|connect|unknown host|status: 5|reset|premature' "$log"; then
      break
    fi
    echo "fetch.sh: $module: Maven could not reach its repository (attempt $attempt of $maven_attempts)" >&2
    # Maven remembers failed downloads for a day unless told to ask again.
    update=(-U)
    ((attempt == maven_attempts)) || sleep $((attempt * 5))
  done
  tail -n 30 "$log" >&2
  echo "fetch.sh: $module: dependencies not available" >&2
  return 1
}

fetch_jars() {
  local module="$1" target lock="$interop_root/$1/jars.sha256"
  [[ -f "$lock" ]] || : >"$lock"
  target="$(interop_jars "$module")"
  if [[ -d "$target" ]] && ! $relock; then
    return 0
  fi
  require mvn maven
  partial="$(mktemp -d "$interop_cache/.partial.XXXXXX")"
  echo "fetch.sh: $module: fetching its dependencies" >&2
  copy_dependencies "$module" "$partial"
  if $relock; then
    (cd "$partial" && LC_ALL=C sha256sum ./*.jar | sed 's# \./# #') >"$lock"
    target="$(interop_jars "$module")"
  elif ! (cd "$partial" && LC_ALL=C sha256sum ./*.jar | sed 's# \./# #') | diff "$lock" - >&2; then
    echo "fetch.sh: $module: the jars are not those of $lock" >&2
    exit 1
  fi
  rm -rf "$target"
  chmod 755 "$partial"
  mv "$partial" "$target"
  partial=""
}

build_classes() {
  local module="$1" target jars
  target="$(interop_classes "$module")"
  [[ -d "$target" ]] && return 0
  require javac openjdk-17-jdk-headless
  jars="$(interop_jars "$module")"
  partial="$(mktemp -d "$interop_cache/.partial.XXXXXX")"
  find "$interop_root/$module/src/main/java" -name '*.java' -print0 |
    xargs -0 javac --release 17 -proc:none -Xlint:none -nowarn -encoding UTF-8 -d "$partial" -cp "$jars/*"
  if [[ -d "$interop_root/$module/src/main/resources" ]]; then
    cp -R "$interop_root/$module/src/main/resources/." "$partial/"
  fi
  chmod 755 "$partial"
  mv "$partial" "$target"
  partial=""
}

modules=()
for argument in "$@"; do
  case "$argument" in
    hapi-server | validator | java-engine | hl7v2-sender) modules+=("$argument") ;;
    --relock) relock=true ;;
    *)
      echo "usage: fetch.sh [--relock] [hapi-server] [validator] [java-engine] [hl7v2-sender]" >&2
      exit 2
      ;;
  esac
done
((${#modules[@]})) || modules=(hapi-server validator java-engine hl7v2-sender)

require java openjdk-17-jdk-headless
mkdir -p "$interop_cache"
# One builder at a time: parallel tests may ask for the same module.
exec 8>"$interop_cache/.lock"
flock 8
for module in "${modules[@]}"; do
  fetch_jars "$module"
  build_classes "$module"
done
