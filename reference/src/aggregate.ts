/**
 * The public inputs of a proof that stands for several transition proofs.
 * Source: docs/protocol.md, "Aggregate".
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { words } from "./bytes.js";
import { evaluate, truncate } from "./commitment.js";
import { spongeFrom } from "./poseidon2.js";

const AGGREGATE_TAG = 3n;

/** (C, Z, V) of the inputs (cᵢ, ζᵢ, vᵢ) in a circuit of n slots. */
export function aggregateInputs(inputs: readonly [bigint, bigint, bigint][], n: number): [bigint, bigint, bigint] {
  const m = inputs.length;
  if (m < 1 || m > n) throw new RangeError("there are 1 to n proofs");
  const w = inputs.flat();
  const padded = [...w, ...new Array<bigint>(3 * (n - m)).fill(0n)];
  const c = spongeFrom(AGGREGATE_TAG + (BigInt(3 * n) << 32n) + (BigInt(m) << 64n), padded);
  const z = truncate(keccak_256(words(c, ...w)));
  return [c, z, evaluate(w, z)];
}
