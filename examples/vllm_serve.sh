#!/usr/bin/env bash
# vLLM with a model that has learned a dialect, and `simpy serve` before it: programs that ask the proxy keep Python.
#
#     examples/vllm_serve.sh MODEL [DIALECT]
#
# Requests need two fields more: see docs/integrations.md.
set -euo pipefail
model=${1:?the folder of a model that has learned a dialect}
dialect=${2:-dense}

# guidance: the engine that takes our grammars
vllm serve "$model" --port 8000 --structured-outputs-config.backend guidance &
trap 'kill $! 2>/dev/null || true' EXIT
simpy serve --upstream http://127.0.0.1:8000/v1 --dialect "$dialect" --constrain vllm
