/**
 * Decimal floats: value = mantissa·10^exponent, the exponent in the 5 bits above the mantissa.
 * Source: docs/protocol.md, "Floats".
 */
import { requireWidth } from "./bytes.js";

const EXPONENT_BITS = 5;

export class Float {
  constructor(
    readonly mantissaBits: number,
    /** Values have fewer bits than this. */
    readonly valueBits: number,
  ) {}

  /** Bits of an encoding. */
  get width(): number {
    return this.mantissaBits + EXPONENT_BITS;
  }

  /** The value of an encoding, canonical or not. */
  value(encoding: bigint): bigint {
    requireWidth("float", encoding, this.width);
    const mantissa = BigInt.asUintN(this.mantissaBits, encoding);
    return mantissa * 10n ** (encoding >> BigInt(this.mantissaBits));
  }

  /** The canonical encoding: the smallest exponent that holds the value exactly; undefined if none does. */
  encode(value: bigint): bigint | undefined {
    if (value < 0n || value >> BigInt(this.valueBits) !== 0n) return undefined;
    for (let exponent = 0n; exponent < 1n << BigInt(EXPONENT_BITS); exponent++) {
      const scale = 10n ** exponent;
      if (value % scale === 0n && value / scale <= this.#maxMantissa) {
        return value / scale + (exponent << BigInt(this.mantissaBits));
      }
    }
    return undefined;
  }

  /** Exponent 0, or a mantissa that leaves no smaller one; what the value may be is another question. */
  isCanonical(encoding: bigint): boolean {
    requireWidth("float", encoding, this.width);
    const mantissa = BigInt.asUintN(this.mantissaBits, encoding);
    return encoding === mantissa || 10n * mantissa > this.#maxMantissa;
  }

  /** The largest value with an exact encoding that is at most `value`. */
  nearestBelow(value: bigint): bigint {
    let best = 0n;
    for (let exponent = 0n; exponent < 1n << BigInt(EXPONENT_BITS); exponent++) {
      const scale = 10n ** exponent;
      const mantissa = value / scale;
      const candidate = (mantissa < this.#maxMantissa ? mantissa : this.#maxMantissa) * scale;
      if (candidate > best) best = candidate;
    }
    return best;
  }

  get #maxMantissa(): bigint {
    return (1n << BigInt(this.mantissaBits)) - 1n;
  }
}

/** Amounts: 35 bits of mantissa; only values below 2^128 are admitted. */
export const Float40 = new Float(35, 128);

/** Fees: 11 bits of mantissa; every value is below 2^115. */
export const Float16 = new Float(11, 115);
