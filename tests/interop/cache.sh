# shellcheck shell=bash
# Where the Java peers lie in the cache; sourced by the scripts of this folder.
#
# A module's folder name carries a hash of everything that it is built from, and the folder gets that name only
# when it is complete. So "is it there" is one look at the file system, and nothing is ever half built.

interop_root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
interop_cache="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}/interop"

# interop_hash FILE...: over names and contents.
interop_hash() {
  sha256sum "$@" | sha256sum | cut -c 1-16
}

# interop_jars MODULE: the folder of its dependencies.
interop_jars() {
  (cd "$interop_root/$1" && echo "$interop_cache/$1-jars-$(interop_hash pom.xml jars.sha256)")
}

# interop_classes MODULE: the folder of its own classes.
interop_classes() {
  local -a sources
  cd "$interop_root/$1" || return 1
  mapfile -t sources < <(find src -type f | LC_ALL=C sort)
  echo "$interop_cache/$1-classes-$(interop_hash pom.xml jars.sha256 "${sources[@]}")"
}

# interop_classpath MODULE: for java -cp; fails with a hint when the module is not built.
interop_classpath() {
  local classes jars
  classes="$(interop_classes "$1")"
  jars="$(interop_jars "$1")"
  if [[ ! -d "$classes" || ! -d "$jars" ]]; then
    echo "$1 is not built: run $interop_root/fetch.sh $1" >&2
    return 3
  fi
  echo "$classes:$jars/*"
}
