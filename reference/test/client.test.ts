/**
 * A typed use of every path of the API: it must compile against the generated types, and
 * what it sends is what the document says. An operation without a use does not compile.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, type PathOf, type Problem } from "../client/client.js";
import type { components } from "../client/schema.js";
import { load } from "./load.js";

type Example = { value: unknown };
type Document = { paths: Record<string, Record<string, { responses: Record<string, unknown>; requestBody?: { content: { "application/json": { examples: Record<string, Example> } } } }>> };

const document = load<Document>("api/openapi.json");
const hash = "0x" + "11".repeat(32);
const l1 = "0x" + "22".repeat(20);

const transaction: components["schemas"]["Transaction"] = {
  kind: "transfer", from: 3, to: 7, token: 4294967295, amount: "1250000", fee: "100", nonce: 12,
  to_owner: hash, to_l1: l1, public_key: hash, signature: "0x" + "33".repeat(64),
};

/** The value of a good answer, or the problem thrown: 200 is told from the rest by its status alone. */
function good<T>(answer: { status: 200; body: T } | { status: 400 | 404 | 405 | 429 | 500 | 503; body: Problem }): T {
  if (answer.status === 200) return answer.body;
  throw new Error(`${answer.body.code}: ${answer.body.detail}`);
}

type Use = (c: Client) => Promise<unknown>;

const uses: { [P in PathOf<"get"> as `get ${P}`]: Use } & { [P in PathOf<"post"> as `post ${P}`]: Use } = {
  "get /openapi.json": async (c): Promise<string> => good(await c.get("/openapi.json", {})).openapi,
  "get /v1/status": async (c): Promise<number> => good(await c.get("/v1/status", {})).settled.batch,
  "get /v1/accounts": async (c): Promise<number | undefined> =>
    good(await c.get("/v1/accounts", { query: { owner: hash, l1, limit: "2" } })).accounts[0]?.next_nonce,
  "get /v1/accounts/{index}": async (c): Promise<string> => good(await c.get("/v1/accounts/{index}", { path: { index: "3" } })).available,
  "get /v1/accounts/{index}/proof": async (c): Promise<string[]> =>
    good(await c.get("/v1/accounts/{index}/proof", { path: { index: "3" }, query: { batch: "1" } })).siblings,
  "get /v1/batches": async (c): Promise<number | undefined> => good(await c.get("/v1/batches", { query: { before: "5" } })).next,
  "get /v1/batches/{number}": async (c): Promise<string | undefined> =>
    good(await c.get("/v1/batches/{number}", { path: { number: "1" } })).settlement?.tx_hash,
  "get /v1/batches/{number}/exits": async (c): Promise<string | undefined> =>
    good(await c.get("/v1/batches/{number}/exits", { path: { number: "1" } })).claims[0]?.leaf,
  "get /v1/exits": async (c): Promise<string | undefined> => good(await c.get("/v1/exits", { query: { l1 } })).claims[0]?.amount,
  "get /v1/transactions/{id}": async (c): Promise<number | undefined> =>
    good(await c.get("/v1/transactions/{id}", { path: { id: hash } })).assigned_index,
  "get /v1/transactions": async (c): Promise<string | undefined> =>
    good(await c.get("/v1/transactions", { query: { ids: `${hash},${hash}` } })).unknown[0],
  "post /v1/transactions": async (c): Promise<string> => {
    const answer = await c.post("/v1/transactions", { body: [transaction] });
    switch (answer.status) {
      case 202:
        return answer.body.id;
      case 200:
        return "results" in answer.body ? (answer.body.results[0]?.problem?.code ?? "") : answer.body.id;
      default:
        return answer.body.code;
    }
  },
};

// What the types must refuse: each line below fails to compile without its directive.
export function refusedByTypes(c: Client): void {
  // @ts-expect-error l1 of exits is required
  void c.get("/v1/exits", { query: {} });
  // @ts-expect-error no such path
  void c.get("/v1/nothing", {});
  // @ts-expect-error amounts are decimal strings
  void c.post("/v1/transactions", { body: { ...transaction, amount: 5 } });
  // @ts-expect-error answers have the documented fields, not any
  void c.get("/v1/status", {}).then((a) => good(a).sealed);
}

test("every operation is used, at the address that the document gives it", async () => {
  for (const [operation, use] of Object.entries(uses)) {
    const [method, path] = operation.split(" ") as [string, string];
    const operations = document.paths[path];
    assert.ok(operations, path);
    const asked: { method: string; url: URL }[] = [];
    const client = new Client("http://rollup.example", async (url, init) => {
      asked.push({ method: (init?.method ?? "").toLowerCase(), url: new URL(String(url)) });
      return new Response(JSON.stringify({ code: "unavailable", detail: "down" }), {
        status: 503, headers: { "Content-Type": "application/problem+json" },
      });
    });
    if (method === "post") assert.equal(await use(client), "unavailable");
    else await assert.rejects(use(client), /unavailable: down/);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]!.method, method);
    assert.ok(operations[method], operation);
    assert.match(asked[0]!.url.pathname, new RegExp("^" + path.replace(/\{\w+\}/g, "[0-9a-fx]+") + "$"));
  }
});
