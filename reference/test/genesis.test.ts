import assert from "node:assert/strict";
import { test } from "node:test";
import { genesisHash, genesisState, parseGenesis } from "../src/genesis.js";
import { load } from "./load.js";

test("genesis files", () => {
  type Vector = { name: string; file: string; hash?: string; root?: string };
  for (const { name, file, hash, root } of load<Vector[]>("state/testdata/genesis.json")) {
    if (hash === undefined || root === undefined) {
      assert.throws(() => parseGenesis(file), Error, name);
      continue;
    }
    const genesis = parseGenesis(file);
    assert.equal(genesisHash(genesis), BigInt(hash), name);
    assert.equal(genesisState(genesis, 0n).root(), BigInt(root), name);
  }
});
