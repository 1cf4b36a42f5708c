#!/usr/bin/env bash
# Real peers whose build takes long: logs of another maker (Tessera).
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/audit/tessera.sh"
