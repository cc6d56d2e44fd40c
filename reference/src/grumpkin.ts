/**
 * The curve of the signatures: Grumpkin, y² = x³ - 17 over the field, of prime order q.
 * A point is named by its x; the point meant is the one with even y.
 * Source: docs/protocol.md, "Signatures".
 */
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { Fr, R } from "./field.js";

/** The order of the group. */
export const Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n;

export const Point = weierstrass({
  p: R,
  n: Q,
  h: 1n,
  a: 0n,
  b: R - 17n,
  Gx: 1n,
  Gy: 0x2cf135e7506a45d632d270d45f1181294833fc48d823f272cn,
});

export type Point = InstanceType<typeof Point>;

/** The generator; 1 is its x, its y is even. */
export const G = Point.BASE;

/** The endomorphism φ(x, y) = (βx, y), which is multiplication by λ. */
export const BETA = 4407920970296243842393367215006156084916469457145843978461n;
export const LAMBDA = 2203960485148121921418603742825762020974279258880205651966n;

/** The point with coordinate x and even y; undefined if x is on no point. */
export function liftX(x: bigint): Point | undefined {
  if (x < 0n || x >= R) return undefined;
  const square = Fr.create(x * x * x - 17n);
  if (!Fr.is0(square) && Fr.pow(square, (R - 1n) / 2n) !== 1n) return undefined;
  const y = Fr.sqrt(square);
  return Point.fromAffine({ x, y: y % 2n === 0n ? y : Fr.neg(y) });
}

/** Whether x names a point. */
export const isOnCurve = (x: bigint): boolean => liftX(x) !== undefined;
