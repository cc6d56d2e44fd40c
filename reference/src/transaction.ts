/**
 * Transactions: what is signed, and how a transaction is named.
 * Source: docs/protocol.md, "Domain" and "Transactions".
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { type Layout, pack, requireWidth, toNumber, words } from "./bytes.js";
import { requireElement } from "./field.js";
import { type Key, type Statement, sign, verify } from "./signature.js";

export const Kind = { none: 0n, transfer: 1n, open: 2n, exit: 3n, exitAll: 4n } as const;

/** The message m, 228 bits. */
export const MESSAGE = {
  kind: 4,
  from: 32,
  to: 32,
  token: 32,
  amount: 40,
  fee: 16,
  nonce: 40,
  validUntil: 32,
} satisfies Layout;

export interface Unsigned {
  kind: bigint;
  /** Index of the sender. */
  from: bigint;
  /** Index of the receiver of a transfer, otherwise 0. */
  to: bigint;
  token: bigint;
  /** A Float40. */
  amount: bigint;
  /** A Float16. */
  fee: bigint;
  nonce: bigint;
  /** The last batch that may execute it; 0 is no limit. */
  validUntil: bigint;
  /** The owner of the receiver or of the new account; 0 for exits. */
  toOwner: bigint;
  /** The l1 of the receiver or of the new account; for exits that of the sender. */
  toL1: bigint;
}

export interface Transaction extends Unsigned {
  publicKey: bigint;
  /** R.x ‖ s. */
  signature: Uint8Array;
}

/** chain id·2^160 + address of the rollup. */
export function domainOf(chainId: bigint, rollup: bigint): bigint {
  return pack({ rollup: 160, chainId: 64 }, { rollup, chainId });
}

export const message = (t: Unsigned): bigint => pack(MESSAGE, fieldsOfMessage(t));

function fieldsOfMessage(t: Unsigned): Record<keyof typeof MESSAGE, bigint> {
  const { kind, from, to, token, amount, fee, nonce, validUntil } = t;
  return { kind, from, to, token, amount, fee, nonce, validUntil };
}

export function statementOf(t: Unsigned, domain: bigint): Statement {
  requireElement("toOwner", t.toOwner);
  requireWidth("toL1", t.toL1, 160);
  return { m: message(t), domain, toOwner: t.toOwner, toL1: t.toL1 };
}

export function signTransaction(t: Unsigned, domain: bigint, key: Key, fresh: Uint8Array): Transaction {
  return { ...t, publicKey: key.public, signature: sign(key, statementOf(t, domain), fresh) };
}

export function verifyTransaction(t: Transaction, domain: bigint): boolean {
  return verify(t.publicKey, statementOf(t, domain), t.signature);
}

/** keccak256(domain ‖ A.x ‖ m ‖ toOwner ‖ toL1): without the signature, which others could exchange. */
export function transactionId(t: Unsigned & { publicKey: bigint }, domain: bigint): bigint {
  const { m, toOwner, toL1 } = statementOf(t, domain);
  return toNumber(keccak_256(words(domain, t.publicKey, m, toOwner, toL1)));
}
