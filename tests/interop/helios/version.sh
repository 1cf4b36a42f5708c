# shellcheck shell=bash
# Which Helios, and where it lies; sourced by the scripts of this folder.
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"

# shellcheck disable=SC2034
helios_version=0.2.7
helios_root=$interop_cache/helios-$helios_version
# shellcheck disable=SC2034
helios_binary=$helios_root/bin/hfs
# The crate lacks the search parameters of R4, without which it refuses every conditional request.
# shellcheck disable=SC2034
helios_search_parameters=$helios_root/search-parameters-r4.json
