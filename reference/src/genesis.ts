/**
 * The genesis file: the accounts that exist before the first batch.
 * Source: docs/protocol.md, "Genesis file".
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_BALANCE } from "./account.js";
import { requireWidth, toHex, toNumber } from "./bytes.js";
import { isOnCurve } from "./grumpkin.js";
import { State } from "./state.js";

export interface Genesis {
  accounts: { owner: bigint; token: bigint; balance: bigint; l1: bigint }[];
  feeAccounts: { token: bigint; index: bigint }[];
}

/** Reads a genesis file; throws when a field is missing, unknown, malformed or against the rules. */
export function parseGenesis(json: string): Genesis {
  const outsideText = json.replace(/"(\\.|[^"\\])*"/g, "");
  if (/[0-9][.eE]/.test(outsideText)) throw new TypeError("numbers are decimal digits");
  const file = fieldsOf(JSON.parse(json), ["accounts", "fee_accounts"]);
  const genesis = {
    accounts: listOf(file["accounts"]).map((entry) => {
      const a = fieldsOf(entry, ["owner", "token", "balance", "l1"]);
      return {
        owner: textNumber(a["owner"], /^0x[0-9a-fA-F]{64}$/),
        token: smallNumber(a["token"]),
        balance: textNumber(a["balance"], /^(0|[1-9][0-9]*)$/),
        l1: textNumber(a["l1"], /^0x[0-9a-fA-F]{40}$/),
      };
    }),
    feeAccounts: listOf(file["fee_accounts"]).map((entry) => {
      const f = fieldsOf(entry, ["token", "index"]);
      return { token: smallNumber(f["token"]), index: smallNumber(f["index"]) };
    }),
  };
  const members = 2 + 4 * genesis.accounts.length + 2 * genesis.feeAccounts.length;
  if (outsideText.split(":").length - 1 !== members) throw new TypeError("a field is there twice");
  requireGenesis(genesis);
  return genesis;
}

function requireGenesis({ accounts, feeAccounts }: Genesis): void {
  const sums = new Map<bigint, bigint>();
  accounts.forEach((a, i) => {
    if (!isOnCurve(a.owner)) throw new RangeError(`the owner of account ${i} is on no point`);
    if (a.l1 === 0n) throw new RangeError(`account ${i} has no l1`);
    const sum = (sums.get(a.token) ?? 0n) + a.balance;
    if (sum > MAX_BALANCE) throw new RangeError(`the balances of token ${a.token} sum to 2^128 or more`);
    sums.set(a.token, sum);
  });
  const tokens = new Set<bigint>();
  for (const { token, index } of feeAccounts) {
    if (tokens.has(token)) throw new RangeError(`token ${token} has two fee accounts`);
    tokens.add(token);
    if (accounts[Number(index)]?.token !== token) throw new RangeError(`account ${index} does not hold token ${token}`);
  }
}

/** The state of batch 0: the account at place i has index i and nonce 0. */
export function genesisState({ accounts, feeAccounts }: Genesis, domain: bigint): State {
  const state = new State(domain, new Map(feeAccounts.map(({ token, index }) => [token, index])));
  accounts.forEach((a, i) => state.set(BigInt(i), { ...a, nonce: 0n }));
  return state;
}

/** Compact JSON, fields in the order of the document, lower-case hexadecimal, fee accounts sorted by token. */
export function canonicalJSON({ accounts, feeAccounts }: Genesis): string {
  return JSON.stringify({
    accounts: accounts.map(({ owner, token, balance, l1 }) => ({
      owner: toHex(owner),
      token: Number(token),
      balance: balance.toString(),
      l1: toHex(l1, 20),
    })),
    fee_accounts: [...feeAccounts]
      .sort((a, b) => (a.token < b.token ? -1 : 1))
      .map(({ token, index }) => ({ token: Number(token), index: Number(index) })),
  });
}

/** SHA-256 of the file in canonical form. */
export function genesisHash(genesis: Genesis): bigint {
  return toNumber(sha256(new TextEncoder().encode(canonicalJSON(genesis))));
}

function fieldsOf(value: unknown, names: string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("an object is expected");
  const got = Object.keys(value).sort().join();
  if (got !== [...names].sort().join()) throw new TypeError(`the fields are ${got}, not ${names.join()}`);
  return value as Record<string, unknown>;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError("a list is expected");
  return value;
}

function textNumber(value: unknown, pattern: RegExp): bigint {
  if (typeof value !== "string" || !pattern.test(value)) throw new TypeError(`${String(value)} is malformed`);
  return BigInt(value);
}

function smallNumber(value: unknown): bigint {
  if (!Number.isInteger(value)) throw new TypeError(`${String(value)} is no whole number`);
  const number = BigInt(value as number);
  requireWidth("number", number, 32);
  return number;
}
