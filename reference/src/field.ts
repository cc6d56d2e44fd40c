/**
 * The field of everything: the scalar field of BN254.
 * Source: docs/protocol.md, "Conventions" and "Tags".
 */
import { Field } from "@noble/curves/abstract/modular.js";
import { toNumber } from "./bytes.js";

/** The modulus r. */
export const R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;

/** Arithmetic modulo r. */
export const Fr = Field(R);

/** Throws unless `value` is an element: an encoding of r or more is refused, never reduced. */
export function requireElement(name: string, value: bigint): void {
  if (value < 0n || value >= R) throw new RangeError(`${name} is not an element of the field`);
}

/** A textual tag as an element: its ASCII bytes, at most 31, read as a big-endian number. */
export function textTag(text: string): bigint {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 31 || bytes.some((byte) => byte > 127)) {
    throw new RangeError("a tag has at most 31 bytes of ASCII");
  }
  return toNumber(bytes);
}
