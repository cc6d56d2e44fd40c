import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, parse } from "../src/publicdata.js";
import { big, load } from "./load.js";

interface Vectors {
  bases: string[][];
  cases: { base: number; at: number; cut: number; words: string[]; parsed: boolean }[];
}

test("words that are D, and words that are not", () => {
  const { bases, cases } = load<Vectors>("publicdata/testdata/parse.json");
  for (const [i, { base, at, cut, words, parsed }] of cases.entries()) {
    const whole = big(bases[base] as string[]);
    whole.splice(at, cut, ...big(words));
    const where = `case ${i}: base ${base}, word ${at}`;
    if (parsed) {
      assert.deepEqual(encode(parse(whole)), whole, where);
    } else {
      assert.throws(() => parse(whole), RangeError, where);
    }
  }
});
