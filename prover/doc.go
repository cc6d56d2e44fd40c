// Package prover makes proofs of batches, and of groups of their proofs: assign the witness, solve the
// constraint system, prove, and verify the own proof. It knows no database and no
// queue. A failure is never bad input of a user: it has a Class that tells whoever
// retries what kind of failure it was.
package prover
