/**
 * An account: one token of one owner, at an index of the tree.
 * Source: docs/protocol.md, "Accounts and tree".
 */
import { type Layout, pack, requireWidth } from "./bytes.js";
import { requireElement } from "./field.js";
import { leaf } from "./poseidon2.js";

export interface Account {
  /** x of a Grumpkin key; 0 if and only if the slot is empty. */
  owner: bigint;
  token: bigint;
  /** Number of transactions sent. */
  nonce: bigint;
  balance: bigint;
  /** Ethereum address that exits are paid to. */
  l1: bigint;
}

export const EMPTY: Readonly<Account> = { owner: 0n, token: 0n, nonce: 0n, balance: 0n, l1: 0n };

/** The last nonce, which is never used. */
export const LAST_NONCE = (1n << 40n) - 1n;

export const MAX_BALANCE = (1n << 128n) - 1n;

const TOKEN_AND_NONCE = { token: 32, nonce: 40 } satisfies Layout;

/** Leaf(owner, token + 2^32·nonce, balance, l1). */
export function accountLeaf(account: Readonly<Account>): bigint {
  const { owner, token, nonce, balance, l1 } = account;
  requireElement("owner", owner);
  requireWidth("balance", balance, 128);
  requireWidth("l1", l1, 160);
  return leaf(owner, pack(TOKEN_AND_NONCE, { token, nonce }), balance, l1);
}
