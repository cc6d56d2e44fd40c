/**
 * The tree of accounts: 4-ary, 16 levels above the leaves, kept sparse: a node that is absent is that of an
 * empty subtree. Level 0 holds the leaves, level 16 the root.
 * Source: docs/protocol.md, "Accounts and tree".
 */
import { EMPTY, accountLeaf } from "./account.js";
import { node } from "./poseidon2.js";

export const LEVELS = 16;

/** Digest of an empty subtree of each height: 17 values. */
const emptyDigests: bigint[] = [accountLeaf(EMPTY)];
for (let level = 0; level < LEVELS; level++) {
  const d = emptyDigests[level] as bigint;
  emptyDigests.push(node(d, d, d, d));
}

export const EMPTY_ROOT = emptyDigests[LEVELS] as bigint;

export class Tree {
  /** For each level the digests by position. */
  readonly #levels = Array.from({ length: LEVELS + 1 }, () => new Map<bigint, bigint>());

  digest(level: number, position: bigint): bigint {
    return this.#levels[level]?.get(position) ?? (emptyDigests[level] as bigint);
  }

  get root(): bigint {
    return this.digest(LEVELS, 0n);
  }

  /** Puts leaves by index and computes the nodes above them, each once. */
  update(leaves: ReadonlyMap<bigint, bigint>): void {
    let touched = new Set<bigint>();
    for (const [index, digest] of leaves) {
      this.#levels[0]?.set(index, digest);
      touched.add(index / 4n);
    }
    for (let level = 1; level <= LEVELS; level++) {
      for (const position of touched) {
        const child = (i: bigint): bigint => this.digest(level - 1, 4n * position + i);
        this.#levels[level]?.set(position, node(child(0n), child(1n), child(2n), child(3n)));
      }
      touched = new Set([...touched].map((position) => position / 4n));
    }
  }

  /** The 48 siblings of a leaf, from the leaf upwards: at each level the three other children, in order. */
  proof(index: bigint): bigint[] {
    const siblings: bigint[] = [];
    for (let level = 0; level < LEVELS; level++, index /= 4n) {
      for (let i = 0n; i < 4n; i++) {
        if (i !== index % 4n) siblings.push(this.digest(level, index - (index % 4n) + i));
      }
    }
    return siblings;
  }
}

/** The root that a proof leads to. */
export function rootOfProof(leaf: bigint, index: bigint, siblings: readonly bigint[]): bigint {
  if (siblings.length !== 3 * LEVELS) throw new RangeError("a proof has 48 siblings");
  let digest = leaf;
  for (let level = 0; level < LEVELS; level++, index /= 4n) {
    const children = siblings.slice(3 * level, 3 * level + 3);
    children.splice(Number(index % 4n), 0, digest);
    digest = node(...(children as [bigint, bigint, bigint, bigint]));
  }
  return digest;
}
