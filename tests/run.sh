#!/usr/bin/env bash
# shellcheck disable=SC2317 # functions are called by name through step()
# Installs what the tests need, builds, runs all of them in parallel and prints a summary.
#
#   tests/run.sh              the ordinary size: what CI runs
#   tests/run.sh --quick      the unit tests only, in the debug build: while working
#   tests/run.sh --long       everything at full size, for hours; results go to tests/bench/RESULTS.md by hand
#   tests/run.sh --long NAME  one of: bench, fault, fuzz, golden, helios, image, interop, tidy, tsan, validator
#
# Every test program runs under the address and undefined-behaviour sanitizers (clang 19), against the release
# build of the daemon. Can be run again at once; asks no question.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

usage() { sed -n '2,/^set/p' "$0" | sed '$d' | sed 's/^# \{0,1\}//'; }

mode=ordinary
long_name=all
case "${1:-}" in
  "") ;;
  --quick) mode=quick ;;
  --long) mode=long; long_name=${2:-all} ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

jobs=$(nproc)
# A second clone finds what the first one compiled.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1
export FHIR_ADAPTER_CACHE="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}"
export FHIR_ADAPTER_BINARY="$root/build/release/adapter/fhir-adapter"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
logs="$root/build/logs"
mkdir -p "$logs"

steps=()
results=()
# step NAME COMMAND...: runs it with its output in build/logs/NAME.log; a failure is shown and remembered.
step() {
  local name=$1 begin=$SECONDS status=0
  shift
  printf '%-28s ' "$name"
  "$@" >"$logs/$name.log" 2>&1 || status=$?
  steps+=("$name")
  results+=("$status")
  if [ "$status" -eq 0 ]; then
    printf 'ok      %4d s\n' $((SECONDS - begin))
  else
    printf 'FAILED  %4d s (exit %d); last lines of build/logs/%s.log:\n' $((SECONDS - begin)) "$status" "$name"
    # ctest names the failed tests at its end, after what they printed.
    sed -n '/^The following tests FAILED:/,/^$/p' "$logs/$name.log"
    grep -nE 'error:|FAILED|Failure|\*\*\*' "$logs/$name.log" | head -n 60 || true
    tail -n 30 "$logs/$name.log"
  fi
  return "$status"
}
# must NAME COMMAND...: nothing after it makes sense when it fails.
must() { step "$@" || finish; }

finish() {
  local passed=0 failed=0 i
  echo
  if [ -f "$logs/ctest.log" ]; then grep -E 'tests passed|Total Test time|tests failed' "$logs/ctest.log" || true; fi
  for i in "${!steps[@]}"; do
    if [ "${results[$i]}" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  for i in "${!steps[@]}"; do
    if [ "${results[$i]}" -ne 0 ]; then echo "failed step: ${steps[$i]} (build/logs/${steps[$i]}.log)"; fi
  done
  if [ -f "$logs/ctest.log" ]; then sed -n '/^The following tests FAILED:/,/^$/p' "$logs/ctest.log"; fi
  # The steps, of which all tests of the suite are one. Alone on the last line, for programs that read it.
  echo "$passed passed, $failed failed"
  if [ "$failed" -ne 0 ] || [ "$passed" -eq 0 ]; then exit 1; fi
  exit 0
}

build() { cmake --preset "$1" && cmake --build --preset "$1" -j "$jobs" --target "${@:2}" -- -k 0; }

run_ctest() { ctest --test-dir "build/$1" -j "$jobs" --output-on-failure --no-tests=error "${@:2}"; }

shell_scripts() {
  local -a scripts
  mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
  shellcheck -x "${scripts[@]}"
}

formatted() {
  local -a sources
  mapfile -t sources < <(git ls-files 'adapter/*.cc' 'adapter/*.h' 'tests/*.cc' 'tests/*.h')
  clang-format-19 --dry-run --Werror "${sources[@]}"
}

tidy_commits_max=20
tidy_files_max=25

# Those .cc files of the program that changed since the last release tag, else in the last commits: the latest first.
changed_sources() {
  local -a range=(-n "$tidy_commits_max" HEAD)
  local tag
  if tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then range=("$tag..HEAD"); fi
  git log --format= --name-only --diff-filter=d "${range[@]}" -- 'adapter/*.cc' | awk 'NF && !seen[$0]++' |
    while read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done
}

# The files that changed lately, no more than the limit; all of them with `tidy all`.
tidy() {
  local -a sources
  if [ "${1:-}" = all ]; then
    mapfile -t sources < <(git ls-files 'adapter/*.cc')
  else
    mapfile -t sources < <(changed_sources)
    if [ ${#sources[@]} -gt "$tidy_files_max" ]; then
      echo "${#sources[@]} files changed; looking at the $tidy_files_max that changed last, tidy all looks at every one"
      sources=("${sources[@]:0:tidy_files_max}")
    fi
  fi
  if [ ${#sources[@]} -eq 0 ]; then echo "no file to look at"; return 0; fi
  printf '%s\n' "${sources[@]}" | xargs -P "$jobs" -n 1 clang-tidy-19 --quiet -p build/asan
}

demo_once() { deploy/demo.sh --once </dev/null; }

definitions() {
  local folder=$FHIR_ADAPTER_CACHE/definitions-r4
  tests/interop/fetch-definitions.sh "$folder" && tests/interop/check-generated-schema.sh "$folder"
}

must packages deploy/packages.sh build demo test

if [ "$mode" = quick ]; then
  must build-debug build debug all
  step ctest run_ctest debug -LE 'daemon|interop|conformance' || true
  finish
fi

step shellcheck shell_scripts || true
step clang-format formatted || true
must build-release build release fhir-adapter
must build-asan build asan all
step peers tests/interop/fetch.sh || true
step hadolint-fetch tests/image/fetch.sh || true
step conformance-suites tests/conformance/fetch.sh || true
step schema-from-definitions definitions || true
step ctest run_ctest asan || true
step demo demo_once || true
step memory tests/bench/run.sh memory || true
if [ -f "$logs/memory.log" ]; then grep "^memory" "$logs/memory.log" || true; fi
step clang-tidy tidy || true
step fuzz tests/fuzz/run.sh || true
step fuzz-control tests/fuzz/control.sh || true
step fuzz-coverage tests/fuzz/coverage.sh || true
if [ -f "$logs/fuzz-coverage.log" ]; then grep '^coverage' "$logs/fuzz-coverage.log" || true; fi

if [ "$mode" = long ]; then
  case "$long_name" in all | tidy) step clang-tidy-all tidy all || true ;; esac
  case "$long_name" in
    all | tsan)
      must build-tsan build tsan all
      step ctest-tsan run_ctest tsan -LE 'interop|conformance' || true
      ;;
  esac
  case "$long_name" in
    all | validator) step validator-all tests/interop/output/validate.sh "$FHIR_ADAPTER_BINARY" all || true ;;
  esac
  for script in tests/*/long.sh tests/interop/*/long.sh; do
    [ -x "$script" ] || continue
    name=$(basename "$(dirname "$script")")
    case "$long_name" in all | "$name") step "long-$name" "$script" || true ;; esac
  done
fi
finish
