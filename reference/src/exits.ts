/**
 * The Merkle tree over the exits of a batch, which L1 builds and claims climb.
 * Source: docs/protocol.md, "Exits root".
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, toNumber, words } from "./bytes.js";
import type { Exit } from "./publicdata.js";

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** keccak256(0x00 ‖ batch ‖ i ‖ l1 ‖ token ‖ amount). */
export function exitLeaf(batch: bigint, i: number, { l1, token, amount }: Exit): bigint {
  return toNumber(keccak_256(concat(LEAF_PREFIX, words(batch, BigInt(i), l1, token, amount))));
}

/** keccak256(0x01 ‖ left ‖ right). */
function exitNode(left: bigint, right: bigint): bigint {
  return toNumber(keccak_256(concat(NODE_PREFIX, words(left, right))));
}

/** All levels from the leaves, padded with zeros to a power of two, to the root. */
function levels(batch: bigint, exits: readonly Exit[]): bigint[][] {
  if (exits.length === 0) throw new RangeError("a batch without exits has no root");
  let level = exits.map((exit, i) => exitLeaf(batch, i, exit));
  while (!Number.isInteger(Math.log2(level.length))) level.push(0n);
  const out = [level];
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) => exitNode(below[2 * i] as bigint, below[2 * i + 1] as bigint));
    out.push(level);
  }
  return out;
}

export function exitsRoot(batch: bigint, exits: readonly Exit[]): bigint {
  return levels(batch, exits).at(-1)?.[0] as bigint;
}

/** The siblings of exit i from the leaf upwards. */
export function exitPath(batch: bigint, exits: readonly Exit[], i: number): bigint[] {
  if (i >= exits.length) throw new RangeError("no such exit");
  return levels(batch, exits)
    .slice(0, -1)
    .map((level, height) => level[(i >> height) ^ 1] as bigint);
}

/** The root that a claim of exit i leads to. */
export function rootOfClaim(batch: bigint, i: number, exit: Exit, path: readonly bigint[]): bigint {
  if (i >= 2 ** path.length) throw new RangeError("the index is out of the path's range");
  return path.reduce(
    (digest, sibling, height) => ((i >> height) & 1 ? exitNode(sibling, digest) : exitNode(digest, sibling)),
    exitLeaf(batch, i, exit),
  );
}
