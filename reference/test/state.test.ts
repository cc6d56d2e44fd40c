import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, accountLeaf } from "../src/account.js";
import { keyFrom } from "../src/signature.js";
import { State } from "../src/state.js";
import { domainOf, message, signTransaction, transactionId, verifyTransaction } from "../src/transaction.js";
import { EMPTY_ROOT, rootOfProof } from "../src/tree.js";
import { big, hex, load } from "./load.js";

interface AccountVector {
  index: number;
  owner: string;
  token: number;
  nonce: number;
  balance: string;
  l1: string;
  leaf: string;
}

interface Vectors {
  chain_id: number;
  rollup: string;
  domain: string;
  empty_root: string;
  accounts: AccountVector[];
  root: string;
  transactions: (Record<string, number> & Record<"to_owner" | "to_l1" | "public_key" | "m" | "id" | "signature", string>)[];
}

const vectors = load<Vectors>("state/testdata/vectors.json");
const domain = domainOf(BigInt(vectors.chain_id), BigInt(vectors.rollup));

const account = (v: AccountVector) => ({
  owner: BigInt(v.owner),
  token: BigInt(v.token),
  nonce: BigInt(v.nonce),
  balance: BigInt(v.balance),
  l1: BigInt(v.l1),
});

test("accounts, root and proofs", () => {
  assert.equal(EMPTY_ROOT, BigInt(vectors.empty_root));
  const state = new State(domain, new Map());
  assert.equal(state.root(), EMPTY_ROOT);
  for (const v of vectors.accounts) {
    assert.equal(accountLeaf(account(v)), BigInt(v.leaf));
    state.set(BigInt(v.index), account(v));
  }
  assert.equal(state.root(), BigInt(vectors.root));
  for (const index of [0n, 1n, 2n, 1048576n, 4294967295n, 77n]) {
    assert.equal(rootOfProof(accountLeaf(state.get(index)), index, state.proof(index)), state.root());
  }
  assert.notEqual(rootOfProof(accountLeaf(EMPTY), 1n, state.proof(1n)), state.root());
});

test("proofs that the contract accepts", () => {
  type Proof = AccountVector & { siblings: string[] };
  const contract = load<{ root: string; proofs: Proof[] }>("verifier/contracts/testdata/poseidon2.json");
  for (const v of contract.proofs) {
    assert.equal(accountLeaf(account(v)), BigInt(v.leaf));
    assert.equal(rootOfProof(BigInt(v.leaf), BigInt(v.index), big(v.siblings)), BigInt(contract.root));
  }
});

test("messages, ids and signatures of transactions", () => {
  assert.equal(domain, BigInt(vectors.domain));
  for (const v of vectors.transactions) {
    const n = (name: string): bigint => BigInt(v[name] as number);
    const unsigned = {
      kind: n("kind"),
      from: n("from"),
      to: n("to"),
      token: n("token"),
      amount: n("amount_float40"),
      fee: n("fee_float16"),
      nonce: n("nonce"),
      validUntil: n("valid_until"),
      toOwner: BigInt(v.to_owner),
      toL1: BigInt(v.to_l1),
    };
    assert.equal(message(unsigned), BigInt(v.m));
    const signed = signTransaction(unsigned, domain, keyFrom(n("private_key")), new Uint8Array(32));
    assert.equal(signed.publicKey, BigInt(v.public_key));
    assert.equal(transactionId(signed, domain), BigInt(v.id));
    assert.equal(hex(signed.signature), v.signature);
    assert.ok(verifyTransaction(signed, domain));
  }
});
