#!/usr/bin/env bash
# The fuzz targets at full size: 15 minutes each.
set -euo pipefail
exec "$(dirname "$0")/run.sh" 900
