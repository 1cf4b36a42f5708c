#!/usr/bin/env bash
# Builds the image of deploy/Dockerfile on a Debian 12 made here, since no registry of images need be reachable, and
# runs the program in it: it must know its version, find its maps, and run as nobody's user.
#
#   tests/image/long.sh [FOLDER]     FOLDER keeps the base for the next run (default build/image)
#
# Needs root: buildah with the isolation of a chroot and the storage driver vfs.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "long.sh: run this as root" >&2; exit 3; }

deploy/packages.sh image
folder=${1:-$PWD/build/image}
mkdir -p "$folder"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
# A store of its own: nothing that the machine has is touched, and it goes with the folder.
buildah_here() { buildah --root "$folder/store" --runroot "$folder/run" "$@"; }

begin=$SECONDS
if [ ! -f "$folder/base.tar" ]; then
  mmdebstrap --quiet --variant=minbase bookworm "$folder/base.partial.tar"
  mv "$folder/base.partial.tar" "$folder/base.tar"
fi
printf 'FROM scratch\nADD base.tar /\n' >"$folder/base.Dockerfile"
buildah_here bud --quiet --pull-never --file "$folder/base.Dockerfile" --tag localhost/bookworm "$folder" >/dev/null
echo "base: $((SECONDS - begin)) s"

begin=$SECONDS
buildah_here bud --pull-never --ignorefile deploy/Dockerfile.dockerignore --build-arg BASE=localhost/bookworm \
  --file deploy/Dockerfile --tag localhost/fhir-adapter . >"$folder/build.log" 2>&1 ||
  { tail -n 40 "$folder/build.log" >&2; exit 1; }
echo "image: $((SECONDS - begin)) s"

container=$(buildah_here from --pull-never localhost/fhir-adapter)
trap 'buildah_here rm "$container" >/dev/null' EXIT
inside() { buildah_here run "$container" -- "$@"; }

version=$(inside /usr/bin/fhir-adapter --version)
echo "in the image: $version"
expected=$(sed -n 's/^project(fhir_adapter VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
[[ $version == *"$expected"* ]] || { echo "long.sh: not version $expected" >&2; exit 1; }
[ "$(inside /usr/bin/id -u)" = 990 ] || { echo "long.sh: the image does not run as its own user" >&2; exit 1; }
buildah_here copy --quiet "$container" fixtures/records/mg-1.json /tmp/record.json >/dev/null
resources=$(inside /usr/bin/fhir-adapter map /tmp/record.json | grep -o '"fullUrl"' | wc -l)
echo "in the image: mg-1.json maps to $resources resources"
[ "$resources" -gt 5 ]
if inside /bin/sh -c 'command -v g++' 2>/dev/null; then
  echo "long.sh: the image holds a compiler" >&2
  exit 1
fi
