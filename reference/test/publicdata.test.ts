import assert from "node:assert/strict";
import { test } from "node:test";
import { aggregateInputs } from "../src/aggregate.js";
import { type Shape, challenge, commitment, evaluate, paddedBody, publicInputs } from "../src/commitment.js";
import { exitPath, exitsRoot, rootOfClaim } from "../src/exits.js";
import { keyHash } from "../src/keyhash.js";
import { type Data, type Exit, encode, parse } from "../src/publicdata.js";
import { big, load } from "./load.js";

type Fields = Record<string, string | number | boolean>;

interface Vector {
  name: string;
  shape: Record<string, number>;
  data: Fields & Record<"fee_accounts" | "l1_ops" | "transfers" | "opens" | "exits", Fields[]>;
  words: string[];
  body_words: number;
  commitment: string;
  zeta: string;
  value: string;
  public_inputs: string[];
}

const { vectors } = load<{ vectors: Vector[] }>("publicdata/testdata/vectors.json");

/** Fields of a vector under the names used here. */
function convert(fields: Fields): Record<string, bigint> {
  const name = (key: string): string => (key === "applied" ? "status" : key.replace(/_float\d+$/, ""));
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [name(key), BigInt(value)]));
}

function dataOf({ data }: Vector): Data {
  return {
    number: BigInt(data["number"] as number),
    oldRoot: BigInt(data["old_root"] as string),
    newRoot: BigInt(data["new_root"] as string),
    domain: BigInt(data["domain"] as string),
    feeAccounts: data.fee_accounts.map(convert),
    l1Ops: data.l1_ops.map(convert),
    transfers: data.transfers.map(convert),
    opens: data.opens.map(convert),
    exits: data.exits.map(convert),
  } as unknown as Data;
}

test("D, commitment, challenge and value", () => {
  for (const v of vectors) {
    const shape: Shape = {
      transfers: v.shape["transfers"]!,
      feeAccounts: v.shape["fee_accounts"]!,
      l1Ops: v.shape["l1_ops"]!,
      opens: v.shape["opens"]!,
      exits: v.shape["exits"]!,
    };
    const data = dataOf(v);
    assert.deepEqual(encode(data), big(v.words), v.name);
    assert.deepEqual(parse(big(v.words)), data, v.name);
    assert.equal(paddedBody(data, shape).length, v.body_words, v.name);
    assert.equal(commitment(data, shape), BigInt(v.commitment), v.name);
    assert.deepEqual(publicInputs(data, shape), big(v.public_inputs), v.name);
    assert.deepEqual(big(v.public_inputs), big([v.commitment, v.zeta, v.value]), v.name);
  }
});

test("challenge and value of the contract's vectors", () => {
  type Case = { commitment: string; words: string[]; zeta: string; value: string };
  const contract = load<{ vectors: Case[] }>("verifier/contracts/testdata/publicdata.json");
  for (const v of contract.vectors) {
    assert.equal(challenge(BigInt(v.commitment), big(v.words)), BigInt(v.zeta));
    assert.equal(evaluate(big(v.words), BigInt(v.zeta)), BigInt(v.value));
  }
});

test("exits", () => {
  interface Exits {
    batch: number;
    count: number;
    words: string[];
    root: string;
    claims: { index: number; record: [string, string, string]; path: string[] }[];
  }
  for (const v of load<{ vectors: Exits[] }>("publicdata/testdata/exits.json").vectors) {
    const exits: Exit[] = [];
    for (let i = 0; i < v.count; i++) {
      const head = BigInt(v.words[2 * i]!);
      exits.push({ l1: BigInt.asUintN(160, head), token: head >> 160n, amount: BigInt(v.words[2 * i + 1]!) });
    }
    const batch = BigInt(v.batch);
    assert.equal(exitsRoot(batch, exits), BigInt(v.root));
    for (const { index, record, path } of v.claims) {
      const [l1, token, amount] = big(record) as [bigint, bigint, bigint];
      assert.deepEqual(exits[index], { l1, token, amount });
      assert.deepEqual(exitPath(batch, exits, index), big(path));
      assert.equal(rootOfClaim(batch, index, { l1, token, amount }, big(path)), BigInt(v.root));
    }
  }
});

/** Slots of the circuit of the vectors, which do not name it; the largest group fills it. */
const SLOTS = 5;

test("aggregates and key hashes", () => {
  interface Group {
    batches: { commitment: string; words: string[]; inputs: string[] }[];
    w: string[];
    inputs: string[];
  }
  const setup = load<{ groups: Group[] } & Record<"transition" | "aggregate", { key: string[]; keyHash: string }>>(
    "verifier/contracts/testdata/aggregate.json",
  );
  for (const { batches, w, inputs } of setup.groups) {
    const transitions = batches.map((b) => {
      const c = BigInt(b.commitment);
      const zeta = challenge(c, big(b.words));
      const triple: [bigint, bigint, bigint] = [c, zeta, evaluate(big(b.words), zeta)];
      assert.deepEqual(triple, big(b.inputs));
      return triple;
    });
    assert.deepEqual(transitions.flat(), big(w));
    assert.deepEqual(aggregateInputs(transitions, SLOTS), big(inputs), `${batches.length} batches`);
  }
  for (const { key, keyHash: hash } of [setup.transition, setup.aggregate]) {
    assert.equal(keyHash(big(key)), BigInt(hash));
  }
});
