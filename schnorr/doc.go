// Package schnorr is the rollup's signature: Schnorr over Grumpkin, the curve
// y² = x³ - 17 over BN254's scalar field (modulus r), of prime order q > r, so
// that a circuit over BN254 handles its coordinates natively.
//
// Keys are x-only: sk in [1, q), A = sk·G with even y (sk is negated otherwise);
// R = k·G likewise. With
//
//	h = P8(R.x, A.x, m, domain, toOwner, toL1, TAG, 0)[0] + R.x
//
// and e the endomorphism scalar of the low 128 bits of h, s = k + e·sk, and the
// signature (R.x, s) is valid iff s·G = R + e·A (docs/adr/0002-signature.md).
//
// Since -17 is not a square modulo r, no point has x = 0: an account whose owner
// is 0 has no key, which is why owner 0 can mean an empty slot.
//
// Arithmetic is not constant-time: sign only where nobody else can measure.
package schnorr
