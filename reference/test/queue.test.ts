import assert from "node:assert/strict";
import { test } from "node:test";
import { L1Kind } from "../src/publicdata.js";
import { queueHash } from "../src/queue.js";

test("the queue's hash does not depend on what execution decides", () => {
  const op = { kind: L1Kind.depositOpen, status: 0n, index: 0n, token: 1n, amount: 2n, l1: 3n, owner: 4n };
  const h = queueHash(0n, op);
  assert.equal(queueHash(0n, { ...op, status: 1n, index: 77n }), h);
  assert.notEqual(queueHash(h, op), h);
  const deposit = { ...op, kind: L1Kind.deposit };
  assert.notEqual(queueHash(0n, { ...deposit, index: 77n }), queueHash(0n, deposit));
});
