#!/usr/bin/env bash
# Installs Debian packages that are missing, and nothing else. Asks no question.
#   deploy/packages.sh build          what the program needs to be built
#   deploy/packages.sh build test     and what the tests need
#   deploy/packages.sh image          what builds a container image without a registry
set -euo pipefail

build_packages=(
  ca-certificates ccache cmake g++ git ninja-build pkg-config
  libboost-dev libcli11-dev libcurl4-openssl-dev libfmt-dev libpq-dev libre2-dev libspdlog-dev libsqlite3-dev
  libssl-dev libtomlplusplus-dev rapidjson-dev tzdata unixodbc-dev
)
demo_packages=(curl jq python3)
test_packages=(
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev llvm-19
  golang-go
  libgmock-dev libgtest-dev
  chromium fonts-dejavu-core poppler-utils
  libsqliteodbc odbc-postgresql
  curl docker-compose jq maven nodejs npm openjdk-17-jdk-headless openssl postgresql-15 procps prometheus python3 python3-hl7
  python3-venv shellcheck sqlite3 systemd testssl.sh valgrind wrk
)
image_packages=(buildah mmdebstrap)

wanted=()
for group in "$@"; do
  case "$group" in
    build) wanted+=("${build_packages[@]}") ;;
    demo) wanted+=("${demo_packages[@]}") ;;
    test) wanted+=("${test_packages[@]}") ;;
    image) wanted+=("${image_packages[@]}") ;;
    *) echo "packages.sh: unknown group '$group' (build, demo, test, image)" >&2; exit 2 ;;
  esac
done

# A tool that stands on the path serves as well as the package of that name.
provided() {
  case "$1" in
    maven) command -v mvn >/dev/null ;;
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    openjdk-17-jdk-headless) command -v javac >/dev/null ;;
    golang-go) command -v go >/dev/null ;;
    python3) command -v python3 >/dev/null ;;
    prometheus) command -v promtool >/dev/null ;;
    *) return 1 ;;
  esac
}

missing=()
for package in "${wanted[@]}"; do
  if provided "$package"; then continue; fi
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  if [ "$status" != installed ]; then missing+=("$package"); fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "packages.sh: run this as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 3
  fi
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" apt-get update -q >"$log" 2>&1 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${missing[@]}" >>"$log" 2>&1
}
for attempt in 1 2 3; do
  if install; then exit 0; fi
  echo "packages.sh: attempt $attempt failed" >&2
done
tail -n 20 "$log" >&2
exit 3
