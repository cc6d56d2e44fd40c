package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// blockedWatch says loudly that settlement, which goes in order, waits for a batch
// that nobody will try to prove: its job is a dead letter. Other batches are proven
// meanwhile. Every worker watches.
type blockedWatch struct {
	cfg  *Config
	last settle.BatchNumber
	said time.Time
}

func newBlockedWatch(cfg *Config) *blockedWatch { return &blockedWatch{cfg: cfg} }

func (w *blockedWatch) run(ctx context.Context) {
	for {
		call, done := context.WithTimeout(ctx, contactTimeout)
		err := w.look(call)
		done()
		if err != nil && ctx.Err() == nil {
			w.cfg.Logger.DebugContext(ctx, "blocked batches cannot be looked for", "error", err) // others say that Postgres is away
		}
		if pause(ctx, w.cfg.Policy.BlockedLook) != nil {
			return
		}
	}
}

func (w *blockedWatch) look(ctx context.Context) error {
	b, err := w.cfg.Store.Blockage(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if w.last != 0 {
			w.cfg.Logger.InfoContext(ctx, "settlement no longer waits for a dead letter", "batch", w.last)
		}
		w.last = 0
		w.cfg.Metrics.BlockedBatch.Set(0)
		return nil
	case err != nil:
		return err
	}
	w.cfg.Metrics.BlockedBatch.Set(float64(b.Batch))
	if b.Batch == w.last && time.Since(w.said) < w.cfg.Policy.Remind {
		return nil
	}
	w.last, w.said = b.Batch, time.Now()
	args := []any{"batch", b.Batch, "proven_behind", b.Behind}
	if b.Job != nil {
		args = append(args, "job", *b.Job, "state", *b.Status)
	}
	if b.Class != nil {
		args = append(args, "class", *b.Class, "detail", *b.Detail)
	}
	args = append(args, "remedy", fmt.Sprintf("settle replay %d names the fault; settle jobs retry --batch %d when it is mended", b.Batch, b.Batch))
	w.cfg.Logger.ErrorContext(ctx, "settlement waits for a batch whose proof job is a dead letter", args...)
	return nil
}
