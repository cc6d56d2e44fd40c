// Package baseline is a rollup of payments in gnark as it is plainly written today:
// four Merkle paths a transfer, EdDSA, SHA-256 of the public data, all from gnark's
// standard library. Settle's circuit is measured against it. It is complete and
// tested, neither crippled nor tuned, and not for use: nothing else imports it but
// benchmarks.
//
// A batch applies N transfers one after another. Each opens the sender in a binary
// tree of depth 32, verifies his signature, writes him back with the amount and the fee
// less and the next nonce, then opens the receiver under the root that results and
// writes him back with the amount more; a transfer to oneself needs no special case.
// At the end the operator's account is credited with all fees. A batch is of one
// token, which is the operator's account's. A slot that nobody needs is a payment of 0
// by the operator to himself. The only public input is the SHA-256 of
//
//	domain 32 | old root 32 | new root 32 | operator 4 | N × (from 4 | to 4 | amount 5 | fee 2)
//
// modulo the field. Amounts and fees are Settle's floats, in the same widths.
//
// # Choices
//
// Where the standard library leaves a choice, the one with fewer constraints is taken,
// so that the comparison does not flatter Settle:
//
//   - Poseidon2 of width 2 (gnark's default for BN254, 6 and 50 rounds, 186 constraints)
//     as 2-to-1 compression in the tree; gnark's Merkle path would hash a node in two.
//     EdDSA's hash is the same in Merkle–Damgård, 930 constraints for its five words;
//     gnark's MiMC takes 330 each.
//   - A leaf hashes two words: the hash of the owner's key, which is computed once a
//     transfer, and token, nonce and balance packed.
//   - The signed message is one word of 192 bits, compressed once with the domain.
//   - New balances and nonces are checked by gnark's lookup range checker, whose table
//     and commitment SHA-256 needs anyway. That balances stay below 2^128 and nonces
//     below 2^40 is an invariant of the tree, so that old balances need no check.
//   - Records have no kind, as there is but one: 15 bytes, half a byte less than Settle's.
//
// What it adds to the standard library is a check that the key and R lie on the curve:
// gnark's EdDSA leaves that to the caller, and R = (0, 0) would sign anything
// (TestZeroSigns).
//
// # Cost
//
// Constraints, held by TestSplit. The parts are counted alone; what the lookup tables
// make of them in the whole circuit differs by a few.
//
//	four Merkle paths        23936
//	EdDSA                    7057
//	four leaves, one key     1860
//	message                  186
//	floats                   68
//	widths, bits, bytes      398
//	SHA-256, 15 of 64 bytes  8267
//	a further transfer       41772
//
//	SHA-256's tables         131101
//	a block of 64 bytes      35273
//	two transfers            315689
//
// The tables, the header's blocks and the operator's two paths are paid once a batch.
// At 2^20 constraints that leaves 19 transfers (LargestWithin).
package baseline
