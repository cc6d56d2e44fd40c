/**
 * The hash chain over queued L1 operations [not executed].
 * Source: docs/protocol.md, "Queue of L1 operations".
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { toNumber, words } from "./bytes.js";
import { L1Kind, type L1Op, l1OpWords } from "./publicdata.js";

/** h' = keccak256(h ‖ the three words of the operation), before anything about its execution is known. */
export function queueHash(h: bigint, op: L1Op): bigint {
  const index = op.kind === L1Kind.depositOpen ? 0n : op.index;
  return toNumber(keccak_256(words(h, ...l1OpWords({ ...op, status: 0n, index }))));
}
