// Package sequencer orders, executes and seals: accepted transactions
// in Postgres become batches with a witness input and a proof job.
//
//	API -> admission.Check -> store.Admit           (rules that need no lock, then nonce and balance)
//	accepted rows -> page -> signature -> order     (Sequencer.Serve)
//	             -> state.Batch.Step                (refused ones are rejected one by one)
//	             -> Policy.Decide -> store.SealBatch (batch, witness, job in one transaction)
//
// Postgres alone holds the truth. The open batch lives in memory only and its
// transactions stay accepted until it is sealed, so a crash costs work and loses
// nothing. Memory never runs ahead of the database: after any failed write the
// sequencer drops its memory, gives the role back and loads the state anew.
//
// One sequencer runs at a time. An advisory lock says who; the epoch that each
// write carries keeps a paused one, which still believes that it holds the lock,
// from writing.
package sequencer
