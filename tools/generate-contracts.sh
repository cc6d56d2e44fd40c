#!/usr/bin/env bash
# Writes what is generated from the contracts: artifacts, Go bindings, and gnark's own verifier for the
# toy key of the tests. Run it after a change of a contract; CI runs it and requires no difference.
set -euo pipefail
cd "$(dirname "$0")/.."

contracts=verifier/contracts
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Not npm ci: it refuses the lock file where a registry lacks forge for another platform.
[ -d tools/node_modules/solc ] || (cd tools && npm install --no-save --ignore-scripts --no-audit --no-fund >&2)

node tools/artifacts.mjs "$contracts/artifacts" "$contracts/src" Rollup Groth16Verifier

for name in Rollup Groth16Verifier; do
  node -e 'const fs = require("node:fs");
    const a = JSON.parse(fs.readFileSync(process.argv[1]));
    fs.writeFileSync(process.argv[2] + ".abi", JSON.stringify(a.abi));
    fs.writeFileSync(process.argv[2] + ".bin", a.bytecode);' \
    "$contracts/artifacts/$name.json" "$scratch/$name"
  out=$contracts/bindings/$(echo "$name" | tr '[:upper:]' '[:lower:]').go
  mkdir -p "$contracts/bindings"
  go tool abigen --v2 --abi "$scratch/$name.abi" --bin "$scratch/$name.bin" --pkg bindings --type "$name" --out "$out"
  chmod 644 "$out"
done

mkdir "$scratch/gnark"
go run ./verifier/internal/fixtures export "$contracts/testdata" >"$scratch/gnark/Verifier.sol"
node tools/artifacts.mjs "$contracts/testdata" "$scratch/gnark" Verifier=GnarkVerifier

mkdir "$scratch/proofs"
cp verifier/internal/fixtures/AccountProofs.sol "$contracts"/src/Poseidon2*.sol "$scratch/proofs"
node tools/artifacts.mjs "$contracts/testdata" "$scratch/proofs" AccountProofs
