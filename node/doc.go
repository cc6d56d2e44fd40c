// Package node runs the roles of a rollup, each alone or all of them in one process: what
// they are made of, how they start, wait, keep their place and stop, and what an operator
// sees of them. Each role has a file of its own; a role's work is another package's.
//
//	api         api.go          the REST API
//	sequencer   sequencer.go    executes transactions, seals batches
//	worker      worker.go       proves; its proving process is provechild.go
//	aggregator  aggregator.go   decides which proofs are aggregated
//	submitter   submitter.go    settles on L1
//	all         up.go           with workers as processes of their own (supervise.go)
package node
