// Package jobs runs workers. It decides which batch a worker proves, what happens when a
// proof fails, and when a dead worker's job goes to another. Its planner says which proofs
// are folded.
//
// The truth about a batch is its proof. A job, one row of the store's proof_jobs, says that it
// is to be made, and while a worker is at it the same row is that worker's lease, fenced by an
// epoch. A worker
//
//	claims the oldest batch that it can prove -> keeps its heart beating -> proves ->
//	stores the proof, which completes the job in the same transaction
//
// and a reaper ends leases whose heart stopped and puts their jobs back under a new epoch. A
// worker that was paused or cut off meanwhile may still report: under its old epoch it finds no row.
//
//	failure          next try                                     after
//	infrastructure   soon, without limit                          -
//	witness, bug     with backoff                                 Policy.MaxFailures: dead letter
//	resource, death  at once, then with backoff                   Policy.MaxLosses: dead letter
//
// A dead letter is a discarded job with its failures in the store and its input
// untouched. Other batches pass it.
package jobs
