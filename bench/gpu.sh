#!/usr/bin/env bash
# Proves on a machine with a GPU what the tests elsewhere run on LibTorch's CPU device: about ten minutes.
#
#   bench/gpu.sh                      # on cuda:0, and on two GPUs where there are two
#   PYTHON=/path/to/python bench/gpu.sh   # also times PyTorch beside it; needs torch there
#   DEVICE=cpu bench/gpu.sh           # rehearses the script without a GPU
#
# Each line says PASS, FAIL or SKIP; the exit code is the number of FAIL lines. docs/gpu.md shows their form.
set -uo pipefail
cd "$(dirname "$0")/.."
device=${DEVICE:-cuda:0}
python=${PYTHON:-}
epochs=${EPOCHS:-2}
out=$(mktemp -d)
failed=0

say() { printf '%-5s %s\n' "$1" "$2"; }
check() { # NAME COMMAND...
  local name=$1
  shift
  log="$out/${name//[^a-zA-Z0-9]/-}.log"
  local start=$SECONDS
  if "$@" >"$log" 2>&1; then
    say PASS "$name ($((SECONDS - start)) s)"
  else
    say FAIL "$name: $(tail -n 1 "$log")  [$log]"
    failed=$((failed + 1))
    return 1
  fi
}
resnode() { node bin/resnode.js "$@"; }

[ -d node_modules ] || npm ci --silent
npm run --silent build || exit 1
[ -d demo/data ] || npm start >"$out/demo.log" 2>&1
resnode doctor | grep -iE '^(resnode|CPU|  torch|GPU)' || true

field() { node -pe "JSON.parse(require('fs').readFileSync(0))$1"; }

check 'LibTorch is set up' resnode setup --engine torch || exit 1
RESNODE_LIBTORCH=$(resnode setup --engine torch --json | field .folder)
export RESNODE_LIBTORCH

# tests that were skipped prove nothing
conformance() {
  RESNODE_TORCH_DEVICE="$device" node node_modules/vitest/vitest.mjs run src/engines/torch/conformance \
    --reporter=default --reporter=json --outputFile.json="$out/tests.json" || return 1
  echo "$(field .numPassedTests <"$out/tests.json") tests passed, $(field .numPendingTests <"$out/tests.json") skipped"
  [ "$(field .numPendingTests <"$out/tests.json")" -eq 0 ] && [ "$(field .numPassedTests <"$out/tests.json")" -gt 0 ]
}
check "conformance on $device" conformance && say '' "  $(tail -n 1 "$log")"

train() { # NAME OPTIONS...
  local name=$1
  shift
  resnode train --data demo/data --project "$name" --run-dir "$out/runs" --engine torch --model cifar-resnet20 \
    --crop 28 --no-flip --batch-size 64 --epochs "$epochs" --lr 0.05 --schedule oneCycle --json "$@"
}
accuracy() { resnode test --project "$1" --run-dir "$out/runs" --json | field '.top1.toFixed(2)'; }

check "training on $device, fp32" train fp32 --devices "$device"
for precision in bf16 fp16; do
  check "training on $device, $precision" train "$precision" --devices "$device" --precision "$precision"
done
gpus=$(nvidia-smi -L 2>/dev/null | wc -l)
case $device in
  cpu) pair=cpu:2 ;;
  *) [ "$gpus" -ge 2 ] && pair=cuda:0,cuda:1 || pair= ;;
esac
if [ -n "$pair" ]; then
  check "training on $pair, fp32, synchronized batch norm" train pair --devices "$pair" --sync-batch-norm
  check "training on $pair, bf16" train pair-bf16 --devices "$pair" --precision bf16
else
  say SKIP "two GPUs: this machine has $gpus"
fi
grep -hiE 'NCCL|by way of the host' "$out"/training-*.log | sort -u | sed 's/^/      /'
for run in "$out"/runs/*/; do
  name=$(basename "$run")
  top1=$(accuracy "$name")
  # ten classes: without learning it would be 10 %
  check "$name: top-1 $top1 %, at least 70" test "${top1%.*}" -ge 70
done

if [ -n "$python" ]; then
  for precision in fp32 bf16 fp16; do
    npm run --silent bench -- --suite step --engines torch --device "$device" --precision "$precision" \
      --torch "$python" --batch "${BATCH:-128}" --pixels "${PIXELS:-224}" --steps "${STEPS:-20}" || failed=$((failed + 1))
  done
else
  say SKIP 'PyTorch beside it: give PYTHON'
fi
say '' "logs and runs: $out"
exit "$failed"
