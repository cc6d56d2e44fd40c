/**
 * Poseidon2 (eprint 2023/323) over the field, and the hashes that are made of it.
 * Source: docs/protocol.md, "Hashing".
 */
import { requireWidth } from "./bytes.js";
import { R, requireElement } from "./field.js";
import { grainConstants } from "./grain.js";

const FULL_ROUNDS = 8;
const PARTIAL_ROUNDS = { 4: 56, 8: 57 } as const;

/** The 4x4 matrix of the external layer. */
const M4 = [
  [5n, 7n, 1n, 3n],
  [4n, 6n, 1n, 1n],
  [1n, 3n, 5n, 7n],
  [1n, 1n, 4n, 6n],
] as const;

/** M4 on each block of four lanes; at width 8 each lane then gains the sum of its place over the blocks. */
function external(state: bigint[]): bigint[] {
  const out: bigint[] = [];
  for (let block = 0; block < state.length; block += 4) {
    for (const row of M4) {
      out.push(row.reduce((sum, m, i) => sum + m * (state[block + i] as bigint), 0n) % R);
    }
  }
  if (state.length === 4) return out;
  return out.map((x, i) => (x + (out[i % 4] as bigint) + (out[(i % 4) + 4] as bigint)) % R);
}

/** The matrix of ones plus a diagonal: every lane becomes the sum of all lanes plus its own times d. */
function internal(state: bigint[], diagonal: bigint[]): bigint[] {
  const sum = state.reduce((a, b) => a + b);
  return state.map((x, i) => (x * (diagonal[i] as bigint) + sum) % R);
}

function sbox(x: bigint): bigint {
  const square = (x * x) % R;
  return (((square * square) % R) * x) % R;
}

function permutation(width: 4 | 8): (input: readonly bigint[]) => bigint[] {
  const partialRounds = PARTIAL_ROUNDS[width];
  const { roundKeys, diagonal } = grainConstants(width, FULL_ROUNDS, partialRounds);
  return (input) => {
    if (input.length !== width) throw new RangeError(`the permutation takes ${width} elements`);
    input.forEach((x) => requireElement("lane", x));
    let state = external([...input]);
    roundKeys.forEach((keys, round) => {
      keys.forEach((key, i) => (state[i] = sbox((state[i] as bigint) + key)));
      const partial = round >= FULL_ROUNDS / 2 && round < FULL_ROUNDS / 2 + partialRounds;
      state = partial ? internal(state, diagonal) : external(state);
    });
    return state;
  };
}

/** The permutation of width 4. */
export const P4 = permutation(4);

/** The permutation of width 8. */
export const P8 = permutation(8);

/** P4(x)[0] + x0. */
export function hash4(x0: bigint, x1: bigint, x2: bigint, x3: bigint): bigint {
  return ((P4([x0, x1, x2, x3])[0] as bigint) + x0) % R;
}

/** A node of the tree over its four children. */
export const node = hash4;

/** A leaf: P4(x)[1] + x1. The other lane keeps leaves and nodes apart. */
export function leaf(x0: bigint, x1: bigint, x2: bigint, x3: bigint): bigint {
  return ((P4([x0, x1, x2, x3])[1] as bigint) + x1) % R;
}

/** The sponge of width 4 whose capacity lane starts at `capacity`; three words a block. */
export function spongeFrom(capacity: bigint, input: readonly bigint[]): bigint {
  let state = [0n, 0n, 0n, capacity];
  for (let i = 0; i === 0 || i < input.length; i += 3) {
    state = P4(state.map((x, lane) => (x + (lane < 3 ? (input[i + lane] ?? 0n) : 0n)) % R));
  }
  return state[0] as bigint;
}

/** Sponge(tag, words): the capacity lane starts at tag + 2^32·(number of words). */
export function sponge(tag: bigint, input: readonly bigint[]): bigint {
  requireWidth("tag", tag, 32);
  input.forEach((x) => requireElement("word", x));
  return spongeFrom(tag + (BigInt(input.length) << 32n), input);
}
