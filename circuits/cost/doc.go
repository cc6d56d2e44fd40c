// Package cost says what circuits cost: it counts the constraints of compiled systems,
// foretells those of sizes that nobody has compiled, and draws the random batches that
// shapes are dimensioned for. It measures; no circuit that is proven depends on it.
package cost
