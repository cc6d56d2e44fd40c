import assert from "node:assert/strict";
import { test } from "node:test";
import { toBytes, toNumber } from "../src/bytes.js";
import { BETA, G, LAMBDA, Point, Q } from "../src/grumpkin.js";
import { challengeHash, endomorphismScalar, keyFrom, sign, verify } from "../src/signature.js";
import { derivationDigest, keyFromWallet } from "../src/wallet.js";
import { hex, load, unhex } from "./load.js";

interface Vector {
  name: string;
  secret_key: string;
  public: string;
  m: string;
  domain: string;
  to_owner: string;
  to_l1: string;
  fresh: string;
  h: string;
  e: string;
  signature: string;
}

const vectors = load<Vector[]>("schnorr/testdata/vectors.json");

test("the endomorphism is multiplication by λ", () => {
  const p = G.multiply(12345n).toAffine();
  const image = Point.fromAffine({ x: (p.x * BETA) % Point.Fp.ORDER, y: p.y });
  assert.ok(image.equals(Point.fromAffine(p).multiply(LAMBDA)));
});

const statementOf = (v: Vector) => ({
  m: BigInt(v.m),
  domain: BigInt(v.domain),
  toOwner: BigInt(v.to_owner),
  toL1: BigInt(v.to_l1),
});

test("signatures", () => {
  for (const v of vectors) {
    const statement = statementOf(v);
    const key = keyFrom(BigInt(v.secret_key));
    assert.equal(key.public, BigInt(v.public), v.name);
    const signature = unhex(v.signature);
    const h = challengeHash(toNumber(signature.subarray(0, 32)), key.public, statement);
    assert.equal(h, BigInt(v.h), v.name);
    assert.equal(endomorphismScalar(h), BigInt(v.e), v.name);
    assert.equal(hex(sign(key, statement, unhex(v.fresh))), v.signature, v.name);
    assert.ok(verify(key.public, statement, signature), v.name);

    assert.ok(!verify(key.public, { ...statement, toL1: statement.toL1 === 0n ? 1n : statement.toL1 - 1n }, signature), v.name);
    const s = toNumber(signature.subarray(32));
    const rx = signature.subarray(0, 32);
    for (const other of [0n, Q - s, s + Q, s + 1n]) {
      assert.ok(!verify(key.public, statement, Uint8Array.from([...rx, ...toBytes(other, 32)])), v.name);
    }
  }
});

interface OtherVectors {
  verify: { name: string; vector: number; public: string; signature: string; valid: boolean }[];
  derive: {
    chain_id: number;
    rollup: string;
    wallet: string;
    statement: string;
    digest: string;
    signature: string;
    secret_key: string;
    public: string;
  }[];
}

const others = load<OtherVectors>("schnorr/testdata/verify.json");

test("signatures that are valid, and that are not", () => {
  for (const v of others.verify) {
    const statement = statementOf(vectors[v.vector] as Vector);
    const valid = verify(BigInt(v.public), statement, unhex(v.signature));
    assert.equal(valid, v.valid, `${v.name}, message ${v.vector}`);
  }
});

test("keys from a wallet", () => {
  for (const v of others.derive) {
    const digest = derivationDigest(BigInt(v.chain_id), BigInt(v.rollup), BigInt(v.wallet), v.statement);
    assert.equal(hex(digest), v.digest);
    const signature = unhex(v.signature);
    const [r, s] = [toNumber(signature.subarray(0, 32)), toNumber(signature.subarray(32, 64))];
    const key = keyFromWallet(digest, r, s, signature[64] as 27 | 28);
    assert.deepEqual(key, { secret: BigInt(v.secret_key), public: BigInt(v.public) });
  }
});
