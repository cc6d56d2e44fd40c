/**
 * Where the constants of Poseidon2 come from: the Grain LFSR of the Poseidon paper (eprint 2019/458,
 * appendix E), as the Poseidon2 authors' parameter script seeds it.
 */
import { R } from "./field.js";

const ELEMENT_BITS = 254;

/**
 * Diagonals of width 4 and 8 that the script draws and discards, until the minimal polynomials of the internal
 * matrix M, M², …, M^(2·width) all are irreducible of degree `width`.
 */
const DISCARDED_DIAGONALS: Readonly<Record<number, number>> = { 4: 4, 8: 30 };

/** An endless stream of pseudo-random bits that depends only on the parameters of the permutation. */
export function* grainBits(width: number, fullRounds: number, partialRounds: number): Generator<bigint, never> {
  // The state: field kind 1 (prime), S-box 0 (x^α), bits of an element, width, rounds, and ones: 80 bits.
  const layout: [number, number][] = [
    [1, 2], [0, 4], [ELEMENT_BITS, 12], [width, 12], [fullRounds, 10], [partialRounds, 10], [2 ** 30 - 1, 30],
  ];
  const state = layout.flatMap(([value, bits]) => [...value.toString(2).padStart(bits, "0")].map(Number));
  const step = (): number => {
    const bit = [62, 51, 38, 23, 13, 0].reduce((sum, i) => sum ^ (state[i] as number), 0);
    state.shift();
    state.push(bit);
    return bit;
  };
  for (let i = 0; i < 160; i++) step();
  // Bits come in pairs: the second counts if the first is 1.
  for (;;) {
    const keep = step();
    const bit = step();
    if (keep === 1) yield BigInt(bit);
  }
}

/** The constants of one permutation. */
export interface Constants {
  /** For each round the keys that are added: `width` in a full round, one in a partial round. */
  roundKeys: bigint[][];
  /** The diagonal of the internal matrix less 1. */
  diagonal: bigint[];
}

/** First the round keys, each drawn again until it is below r, then the diagonal, reduced modulo r. */
export function grainConstants(width: number, fullRounds: number, partialRounds: number): Constants {
  const bits = grainBits(width, fullRounds, partialRounds);
  const draw = (): bigint => {
    let value = 0n;
    for (let i = 0; i < ELEMENT_BITS; i++) value = (value << 1n) | bits.next().value;
    return value;
  };
  const drawElement = (): bigint => {
    let value = draw();
    while (value >= R) value = draw();
    return value;
  };
  const keys = (rounds: number, count: number): bigint[][] =>
    Array.from({ length: rounds }, () => Array.from({ length: count }, drawElement));
  const roundKeys = [
    ...keys(fullRounds / 2, width),
    ...keys(partialRounds, 1),
    ...keys(fullRounds / 2, width),
  ];
  for (let i = 0; i < (DISCARDED_DIAGONALS[width] as number) * width; i++) draw();
  const diagonal = Array.from({ length: width }, () => (draw() + R - 1n) % R);
  return { roundKeys, diagonal };
}
