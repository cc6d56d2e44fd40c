// Package jobs joins the queue (River, in Postgres), the proving engine and the
// store: which batch is proven by whom, and what happens when that fails.
//
// The truth about a batch is its proof and its lease, both in the store and fenced
// by an epoch; River's row only says when to try. A worker
//
//	takes the lease -> keeps its heart beating -> proves -> stores the proof and
//	completes the job in one transaction under its epoch
//
// and a Reaper ends leases whose heart stopped and puts their jobs back. River
// itself does not fence, so a worker that was paused or cut off may report on an attempt that
// somebody else has begun meanwhile: fencedDriver drops such reports.
//
//	failure          next try                                     after
//	infrastructure   soon, without limit                          -
//	witness, bug     with backoff                                 Policy.MaxFailures: dead letter
//	resource, death  at once, then with backoff                   Policy.MaxLosses: dead letter
//
// A dead letter is a discarded River job with its failures in the store and its
// input untouched. Other batches pass it.
package jobs
