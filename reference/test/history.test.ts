import assert from "node:assert/strict";
import { test } from "node:test";
import { accountLeaf } from "../src/account.js";
import { aggregateInputs } from "../src/aggregate.js";
import { Batch } from "../src/apply.js";
import { type Shape, publicInputs } from "../src/commitment.js";
import { exitPath, exitsRoot, rootOfClaim } from "../src/exits.js";
import { encode, parse } from "../src/publicdata.js";
import { replay } from "../src/replay.js";
import { State } from "../src/state.js";
import { Kind, transactionId } from "../src/transaction.js";
import { big, load, unhex } from "./load.js";

interface Step {
  kind: number;
  from: number;
  to: number;
  assigned: number;
  token: number;
  amount_float40: number;
  fee_float16: number;
  nonce: number;
  valid_until: number;
  to_owner: string;
  to_l1: string;
  public_key: string;
  signature: string;
  id: string;
  refused?: string;
}

interface History {
  name: string;
  number: number;
  accounts: { index: number; owner: string; token: number; nonce: number; balance: string; l1: string; leaf: string }[];
  fee_accounts: { token: number; index: number }[];
  root: string;
  batches: { steps: Step[] | null; words: string[]; inputs: string[]; exits_root?: string }[];
  aggregate: string[];
}

interface Vectors {
  domain: string;
  shape: Record<"transfers" | "fee_accounts" | "opens" | "exits" | "l1_ops", number>;
  slots: number;
  histories: History[];
}

const vectors = load<Vectors>("state/testdata/history.json");
const domain = BigInt(vectors.domain);
const { fee_accounts: feeAccounts, l1_ops: l1Ops, ...others } = vectors.shape;
const shape: Shape = { ...others, feeAccounts, l1Ops };

function stateOf(history: History): State {
  const feeAccounts = new Map(history.fee_accounts.map(({ token, index }) => [BigInt(token), BigInt(index)]));
  const state = new State(domain, feeAccounts, BigInt(history.number));
  for (const a of history.accounts) {
    const account = {
      owner: BigInt(a.owner),
      token: BigInt(a.token),
      nonce: BigInt(a.nonce),
      balance: BigInt(a.balance),
      l1: BigInt(a.l1),
    };
    assert.equal(accountLeaf(account), BigInt(a.leaf));
    state.set(BigInt(a.index), account);
  }
  return state;
}

const transactionOf = (s: Step) => ({
  kind: BigInt(s.kind),
  from: BigInt(s.from),
  to: BigInt(s.to),
  token: BigInt(s.token),
  amount: BigInt(s.amount_float40),
  fee: BigInt(s.fee_float16),
  nonce: BigInt(s.nonce),
  validUntil: BigInt(s.valid_until),
  toOwner: BigInt(s.to_owner),
  toL1: BigInt(s.to_l1),
  publicKey: BigInt(s.public_key),
  signature: unhex(s.signature),
});

for (const history of vectors.histories) {
  test(`history: ${history.name}`, () => {
    const state = stateOf(history);
    const rebuilt = stateOf(history);
    assert.equal(state.root(), BigInt(history.root));

    const inputs = history.batches.map((b) => {
      const batch = new Batch(state);
      for (const [i, step] of (b.steps ?? []).entries()) {
        const t = transactionOf(step);
        assert.equal(transactionId(t, domain), BigInt(step.id));
        const refused = batch.apply(t, t.kind === Kind.open ? BigInt(step.assigned) : undefined);
        const where = `batch ${batch.number}, transaction ${i}: ${refused?.message ?? "executed"}, ${step.refused ?? "expected"}`;
        assert.equal(refused === undefined, step.refused === undefined, where);
      }
      const data = batch.finish();
      assert.deepEqual(encode(data), big(b.words));
      assert.deepEqual(parse(big(b.words)), data);
      const inputs = publicInputs(data, shape);
      assert.deepEqual(inputs, big(b.inputs));

      assert.equal(data.exits.length > 0, b.exits_root !== undefined);
      if (b.exits_root !== undefined) {
        assert.equal(exitsRoot(data.number, data.exits), BigInt(b.exits_root));
        data.exits.forEach((exit, j) => {
          const path = exitPath(data.number, data.exits, j);
          assert.equal(rootOfClaim(data.number, j, exit, path), BigInt(b.exits_root as string));
        });
      }
      replay(rebuilt, data);
      assert.equal(rebuilt.root(), state.root());
      return inputs;
    });
    assert.deepEqual(aggregateInputs(inputs, vectors.slots), big(history.aggregate));
  });
}
