/**
 * Numbers and byte strings: big-endian words, hexadecimal, and fields packed into one number.
 * Source: docs/protocol.md, "Conventions".
 */
import { concatBytes } from "@noble/hashes/utils.js";

export const concat = concatBytes;

/** The number whose big-endian encoding is `bytes`; no bytes are 0. */
export function toNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** `value` in `length` big-endian bytes. */
export function toBytes(value: bigint, length: number): Uint8Array {
  requireWidth("number", value, 8 * length);
  const bytes = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--, value >>= 8n) bytes[i] = Number(value & 0xffn);
  return bytes;
}

/** A word: 32 big-endian bytes. */
export const word = (value: bigint): Uint8Array => toBytes(value, 32);

/** Words one behind the other. */
export const words = (...values: bigint[]): Uint8Array => concat(...values.map(word));

/** `value` as 0x and `length` bytes in lower-case hexadecimal. */
export function toHex(value: bigint, length = 32): string {
  requireWidth("number", value, 8 * length);
  return "0x" + value.toString(16).padStart(2 * length, "0");
}

/** Throws unless 0 ≤ value < 2^width. */
export function requireWidth(name: string, value: bigint, width: number): void {
  if (value < 0n || value >> BigInt(width) !== 0n) {
    throw new RangeError(`${name} ${value} does not fit ${width} bits`);
  }
}

/** The fields of a word by name, each with its width in bits, lowest first. */
export type Layout = Readonly<Record<string, number>>;

/** Values for the fields of a layout. */
export type Fields<L extends Layout> = { [name in keyof L]: bigint };

/** Σ fieldᵢ·2^(sum of the widths before i). */
export function pack<L extends Layout>(layout: L, fields: Fields<L>): bigint {
  let value = 0n;
  let offset = 0n;
  for (const [name, width] of Object.entries(layout)) {
    const field = fields[name] as bigint;
    requireWidth(name, field, width);
    value |= field << offset;
    offset += BigInt(width);
  }
  return value;
}

/** The inverse of `pack`; throws when a bit above the last field is set. */
export function unpack<L extends Layout>(layout: L, value: bigint): Fields<L> {
  const fields: Record<string, bigint> = {};
  for (const [name, width] of Object.entries(layout)) {
    fields[name] = BigInt.asUintN(width, value);
    value >>= BigInt(width);
  }
  if (value !== 0n) throw new RangeError("bits above the last field");
  return fields as Fields<L>;
}
