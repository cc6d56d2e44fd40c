/**
 * The name of a verifying key: SHA-256 over its 32 words.
 * Source: docs/protocol.md, "Key hash".
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toNumber, words } from "./bytes.js";

export function keyHash(key: readonly bigint[]): bigint {
  if (key.length !== 32) throw new RangeError("a key has 32 words");
  return toNumber(sha256(words(...key)));
}
