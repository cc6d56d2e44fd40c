import assert from "node:assert/strict";
import { test } from "node:test";
import { textTag } from "../src/field.js";
import { grainConstants } from "../src/grain.js";
import { P4, P8, leaf, node, sponge } from "../src/poseidon2.js";
import { big, load } from "./load.js";

interface Case {
  in: string[];
  out: string[];
}

interface Vectors {
  permute4: Case[];
  permute8: Case[];
  node: Case[];
  leaf: Case[];
  sponge: { tag: number; in: string[]; out: string }[];
  tags: { text: string; out: string }[];
}

const vectors = load<Vectors>("poseidon/testdata/vectors.json");

test("permutations", () => {
  for (const v of vectors.permute4) assert.deepEqual(P4(big(v.in)), big(v.out));
  for (const v of vectors.permute8) assert.deepEqual(P8(big(v.in)), big(v.out));
});

test("constants of width 4 that the contract holds", () => {
  const contract = load<{ round_keys: string[]; diagonal_minus_one: string[]; permutations: Case[] }>(
    "verifier/contracts/testdata/poseidon2.json",
  );
  const constants = grainConstants(4, 8, 56);
  assert.deepEqual(constants.roundKeys.flat(), big(contract.round_keys));
  assert.deepEqual(constants.diagonal, big(contract.diagonal_minus_one));
  for (const v of contract.permutations) assert.deepEqual(P4(big(v.in)), big(v.out));
});

type Four = [bigint, bigint, bigint, bigint];

test("node and leaf", () => {
  for (const v of vectors.node) assert.equal(node(...(big(v.in) as Four)), BigInt(v.out[0]!));
  for (const v of vectors.leaf) assert.equal(leaf(...(big(v.in) as Four)), BigInt(v.out[0]!));
});

test("sponge", () => {
  for (const v of vectors.sponge) assert.equal(sponge(BigInt(v.tag), big(v.in)), BigInt(v.out));
});

test("textual tags", () => {
  for (const v of vectors.tags) assert.equal(textTag(v.text), BigInt(v.out));
  assert.throws(() => textTag("0".repeat(32)), RangeError);
});
