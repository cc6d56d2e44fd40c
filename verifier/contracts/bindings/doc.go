// Package bindings holds the Go bindings and the creation code of the contracts
// in verifier/contracts, written by tools/generate-contracts.sh. Nothing needs a
// Solidity compiler at run time.
package bindings
