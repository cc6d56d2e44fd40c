/** Vectors: JSON files of the project, with numbers as 0x-hexadecimal or decimal text. */
import { readFileSync } from "node:fs";

const root = new URL("../../../", import.meta.url);

export function load<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, root), "utf8")) as T;
}

export const big = (values: readonly (string | number)[]): bigint[] => values.map(BigInt);

export const unhex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/^0x/, ""), "hex"));

export const hex = (bytes: Uint8Array): string => "0x" + Buffer.from(bytes).toString("hex");
