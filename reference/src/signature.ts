/**
 * Schnorr signatures over Grumpkin, with public keys and nonces named by x.
 * Source: docs/protocol.md, "Signatures".
 */
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, toNumber, word, words } from "./bytes.js";
import { R, textTag } from "./field.js";
import { G, LAMBDA, Point, Q, liftX } from "./grumpkin.js";
import { P8 } from "./poseidon2.js";

export const SIGNATURE_TAG = textTag("settle/sig/v1");

/** What is signed: the message m and three elements beside it. */
export interface Statement {
  m: bigint;
  domain: bigint;
  toOwner: bigint;
  toL1: bigint;
}

/** A secret key in [1, q), such that sk·G has even y, and the x of that point. */
export interface Key {
  secret: bigint;
  public: bigint;
}

export function keyFrom(secret: bigint): Key {
  if (secret <= 0n || secret >= Q) throw new RangeError("a secret key is in [1, q)");
  const [even, point] = evenMultiple(secret);
  return { secret: even, public: point.x };
}

/** ±scalar and ±scalar·G, with the sign that makes y even. */
function evenMultiple(scalar: bigint): [bigint, Point] {
  const point = G.multiply(scalar);
  return point.y % 2n === 0n ? [scalar, point] : [Q - scalar, point.negate()];
}

/** h = P8(R.x, A.x, m, domain, toOwner, toL1, tag, 0)[0] + R.x. */
export function challengeHash(rx: bigint, publicKey: bigint, s: Statement): bigint {
  const lanes = [rx, publicKey, s.m, s.domain, s.toOwner, s.toL1, SIGNATURE_TAG, 0n];
  return ((P8(lanes)[0] as bigint) + rx) % R;
}

/** e, the endomorphism scalar of the low 128 bits of h (Halo, eprint 2019/1021, algorithm 1). */
export function endomorphismScalar(h: bigint): bigint {
  let e1 = 2n;
  let e2 = 2n;
  for (let i = 63n; i >= 0n; i--) {
    const sign = 2n * ((h >> (2n * i)) & 1n) - 1n;
    const useSecond = (h >> (2n * i + 1n)) & 1n;
    e1 = 2n * e1 + (useSecond ? 0n : sign);
    e2 = 2n * e2 + (useSecond ? sign : 0n);
  }
  return (((e1 + LAMBDA * e2) % Q) + Q) % Q;
}

/** Signs; `fresh` are 32 random bytes. The result is R.x ‖ s, 64 bytes. */
export function sign(key: Key, statement: Statement, fresh: Uint8Array): Uint8Array {
  if (fresh.length !== 32) throw new RangeError("32 fresh bytes are needed");
  const { m, domain, toOwner, toL1 } = statement;
  const seed = words(key.secret, key.public, m, domain, toOwner, toL1, SIGNATURE_TAG, 0n);
  const [k, point] = evenMultiple(toNumber(sha512(concat(seed, fresh))) % Q);
  const e = endomorphismScalar(challengeHash(point.x, key.public, statement));
  return concat(word(point.x), word((k + e * key.secret) % Q));
}

/** Whether s·G - e·A is a point with coordinate R.x and even y. */
export function verify(publicKey: bigint, statement: Statement, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const rx = toNumber(signature.subarray(0, 32));
  const s = toNumber(signature.subarray(32));
  const a = liftX(publicKey);
  if (rx >= R || s === 0n || s >= Q || a === undefined) return false;
  const e = endomorphismScalar(challengeHash(rx, publicKey, statement));
  const point = G.multiplyUnsafe(s).subtract(a.multiplyUnsafe(e));
  if (point.is0()) return false;
  const { x, y } = point.toAffine();
  return x === rx && y % 2n === 0n;
}
