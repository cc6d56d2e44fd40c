/**
 * A key that an Ethereum wallet can find again: the hash of its signature over a fixed statement.
 * Source: docs/protocol.md, "Signatures", "Key from a wallet".
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, toNumber, word, words } from "./bytes.js";
import { Q } from "./grumpkin.js";
import { type Key, keyFrom } from "./signature.js";

const encoder = new TextEncoder();
const text = (s: string): bigint => toNumber(keccak_256(encoder.encode(s)));

const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const MESSAGE_TYPE = "SettleKey(string statement,address wallet)";

/** The EIP-712 digest that the wallet signs. */
export function derivationDigest(chainId: bigint, rollup: bigint, wallet: bigint, statement: string): Uint8Array {
  const domain = keccak_256(words(text(DOMAIN_TYPE), text("Settle"), text("1"), chainId, rollup));
  const message = keccak_256(words(text(MESSAGE_TYPE), text(statement), wallet));
  return keccak_256(concat(Uint8Array.of(0x19, 0x01), domain, message));
}

/** sk = SHA-512(tag ‖ digest ‖ r ‖ s ‖ v) mod q; v is 27 or 28. */
export function keyFromWallet(digest: Uint8Array, r: bigint, s: bigint, v: 27 | 28): Key {
  const tag = encoder.encode("settle/key/v1");
  return keyFrom(toNumber(sha512(concat(tag, digest, word(r), word(s), Uint8Array.of(v)))) % Q);
}
