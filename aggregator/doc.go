// Package aggregator folds proofs of consecutive batches into one, so that they
// share one verification on L1. Plan decides what is folded and when; it is a
// function of what it is given and touches nothing.
package aggregator
