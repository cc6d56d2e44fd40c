/**
 * The public inputs of a transition proof: the commitment c, the challenge ζ and the value v of D at ζ.
 * Source: docs/protocol.md, "Commitment c" and "Challenge and value".
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { toNumber, words as concatWords } from "./bytes.js";
import { R, textTag } from "./field.js";
import { hash4, sponge } from "./poseidon2.js";
import { type Data, encode, sections } from "./publicdata.js";

const HEADER_TAG = 1n;
const BODY_TAG = 2n;
const DATA_TAG = textTag("settle/data/v1");

/** Capacities of a proving circuit. */
export interface Shape {
  transfers: number;
  feeAccounts: number;
  l1Ops: number;
  opens: number;
  exits: number;
}

/** Words of the body, each section padded with zeros to what the shape holds. */
export function paddedBody(d: Data, shape: Shape): bigint[] {
  const s = sections(d);
  if (d.transfers.length > shape.transfers) throw new RangeError("the batch does not fit the shape");
  const pad = (section: bigint[], length: number): bigint[] => {
    if (section.length > length) throw new RangeError("the batch does not fit the shape");
    return [...section, ...new Array<bigint>(length - section.length).fill(0n)];
  };
  return [
    ...pad(s.feeAccounts, shape.feeAccounts),
    ...pad(s.l1Ops, 3 * shape.l1Ops),
    ...pad(s.transfers, Math.ceil(shape.transfers / 2)),
    ...pad(s.opens, 2 * shape.opens),
    ...pad(s.exits, 2 * shape.exits),
  ];
}

/** c = Hash4(Sponge(1, header), Sponge(2, padded body), length of D, tag). */
export function commitment(d: Data, shape: Shape): bigint {
  const length = BigInt(encode(d).length);
  return hash4(sponge(HEADER_TAG, sections(d).header), sponge(BODY_TAG, paddedBody(d, shape)), length, DATA_TAG);
}

/** The low 248 bits of a keccak256 hash: an element. */
export const truncate = (digest: Uint8Array): bigint => BigInt.asUintN(248, toNumber(digest));

/** ζ = keccak256(c ‖ D) mod 2^248. */
export function challenge(c: bigint, data: readonly bigint[]): bigint {
  return truncate(keccak_256(concatWords(c, ...data)));
}

/** v = Σ D[i]·ζ^i. */
export function evaluate(data: readonly bigint[], zeta: bigint): bigint {
  return data.reduceRight((sum, w) => (sum * zeta + w) % R, 0n);
}

/** (c, ζ, v). */
export function publicInputs(d: Data, shape: Shape): [bigint, bigint, bigint] {
  const c = commitment(d, shape);
  const zeta = challenge(c, encode(d));
  return [c, zeta, evaluate(encode(d), zeta)];
}
