import assert from "node:assert/strict";
import { test } from "node:test";
import { Float16, Float40 } from "../src/float.js";
import { load } from "./load.js";

test("canonical floats", () => {
  assert.equal(Float40.encode(0n), 0n);
  assert.equal(Float40.encode(10n), 10n);
  assert.equal(Float40.encode((1n << 35n) - 1n), (1n << 35n) - 1n);
  assert.equal(Float40.encode(1n << 35n), undefined); // 34,359,738,368 takes 36 bits and ends in 8
  assert.equal(Float40.encode(10n ** 38n), 10n ** 10n + (28n << 35n));
  assert.equal(Float40.encode(1n << 128n), undefined);
  assert.equal(Float16.encode(2047n * 10n ** 31n), (1n << 16n) - 1n);
  assert.ok(Float16.isCanonical(2253n)); // 205·10
  assert.ok(!Float16.isCanonical(1n + (1n << 11n))); // 1·10 is 10
  assert.ok(!Float40.isCanonical(1n << 35n)); // 0·10
});

test("the canonical encoding is the one that a value is given", () => {
  for (let encoding = 0n; encoding < 1n << 16n; encoding += 7n) {
    const canonical = Float16.encode(Float16.value(encoding)) === encoding;
    assert.equal(Float16.isCanonical(encoding), canonical, String(encoding));
  }
});

test("the nearest value below", () => {
  assert.equal(Float16.nearestBelow(2048n), 2047n); // not 2040
  assert.equal(Float16.nearestBelow(20479n), 20470n);
  assert.equal(Float16.nearestBelow(123456n), 123400n);
  for (const value of [0n, 1n, 2047n, 98765432109876543210n]) {
    const below = Float40.nearestBelow(value);
    assert.ok(below <= value && Float40.encode(below) !== undefined);
  }
});

test("vectors", () => {
  interface Vectors {
    encodings: { bits: number; encoding: number; value: string; canonical: boolean }[];
    amounts: { bits: number; amount: string; encoding: number | null; below: string }[];
  }
  const { encodings, amounts } = load<Vectors>("state/testdata/floats.json");
  const format = (bits: number) => (bits === 40 ? Float40 : Float16);
  for (const { bits, encoding, value, canonical } of encodings) {
    assert.equal(format(bits).value(BigInt(encoding)), BigInt(value));
    assert.equal(format(bits).isCanonical(BigInt(encoding)), canonical, String(encoding));
  }
  for (const { bits, amount, encoding, below } of amounts) {
    assert.equal(format(bits).encode(BigInt(amount)), encoding === null ? undefined : BigInt(encoding), amount);
    assert.equal(format(bits).nearestBelow(BigInt(amount)), BigInt(below), amount);
  }
});
