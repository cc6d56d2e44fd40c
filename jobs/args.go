package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/zksettle/settle"
)

// QueueProve is the queue of proof jobs.
const QueueProve = "prove"

// Attempts that River allows before it discards a job by itself, which is never
// meant to happen: this package decides what becomes a dead letter.
const maxAttempts = 30_000

// ProveBatch is the job to prove one batch.
type ProveBatch struct {
	Batch   settle.BatchNumber `json:"batch"`
	Circuit string             `json:"circuit"`
	Shape   string             `json:"shape"`
	KeyHash settle.KeyHash     `json:"key_hash"`
}

// Kind implements river.JobArgs.
func (ProveBatch) Kind() string { return "prove_batch" }

// InsertOpts implements river.JobArgsWithInsertOpts: one job per batch, circuit and
// key that is not cancelled or discarded.
func (ProveBatch) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueProve, MaxAttempts: maxAttempts, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// AggregateBatches is the job to fold the proofs of a group into one. Its lease and
// its proof are those of the first batch: no other group ever begins with it.
type AggregateBatches struct {
	Batch   settle.BatchNumber `json:"batch"` // the first
	Last    settle.BatchNumber `json:"last"`
	Circuit string             `json:"circuit"`
	Shape   string             `json:"shape"`
	KeyHash settle.KeyHash     `json:"key_hash"`
}

// Kind implements river.JobArgs.
func (AggregateBatches) Kind() string { return "aggregate_batches" }

// InsertOpts implements river.JobArgsWithInsertOpts, as of ProveBatch.
func (AggregateBatches) InsertOpts() river.InsertOpts { return ProveBatch{}.InsertOpts() }

// kinds are those of all jobs that make a proof.
func kinds() []string { return []string{ProveBatch{}.Kind(), AggregateBatches{}.Kind()} }

// Inserter queues jobs in the caller's transactions. It works none.
type Inserter struct{ client *river.Client[pgx.Tx] }

// NewInserter returns an Inserter. It needs no connection of its own.
func NewInserter() (*Inserter, error) {
	client, err := river.NewClient(riverpgxv5.New(nil), &river.Config{})
	if err != nil {
		return nil, fmt.Errorf("create the queue's client: %w", err)
	}
	return &Inserter{client}, nil
}

// InsertTx queues the job in tx. A job that is queued already is left alone.
func (i *Inserter) InsertTx(ctx context.Context, tx pgx.Tx, job ProveBatch) error {
	return i.insert(ctx, tx, job)
}

// InsertGroupTx queues the job to fold a group in tx.
func (i *Inserter) InsertGroupTx(ctx context.Context, tx pgx.Tx, job AggregateBatches) error {
	return i.insert(ctx, tx, job)
}

func (i *Inserter) insert(ctx context.Context, tx pgx.Tx, job proofJob) error {
	if _, err := i.client.InsertTx(ctx, tx, job, nil); err != nil {
		key := job.proofKey()
		return fmt.Errorf("queue %s proof of batch %d: %w", key.Circuit, key.Batch, err)
	}
	return nil
}
