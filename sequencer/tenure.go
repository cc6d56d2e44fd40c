package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// errBlocked: the bound on unproven batches was reached in the middle of a pass.
var errBlocked = errors.New("too many unproven batches")

// releaseTimeout bounds what is done after the context has ended.
const releaseTimeout = 5 * time.Second

// tenure is one period of holding the role, from loading the state to the first
// failure. All of it is memory that a failure throws away.
type tenure struct {
	*Sequencer
	leader.Tenure
	state *state.State

	batch    *state.Batch
	open     []*candidate // executed in batch, in order
	oldest   time.Time    // the earliest since of open
	lastStep time.Time    // when a transaction was last executed

	held       map[int64]struct{} // sequences in open, waiting or deferred
	waiting    *waitingRoom
	deferred   []*candidate
	work       []*candidate // to execute next, in order
	rejections []store.Rejection

	unproven int  // an upper bound: exact when last read, plus what was sealed since
	blocked  bool // as last told to the observer
	cursor   int64
	full     bool // the next pass begins at the start
	lastFull time.Time
}

// serve loads the state and works until something fails.
func (t *tenure) serve(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	listening := make(chan struct{})
	close(listening)
	defer func() {
		cancel(nil)
		<-listening
	}()
	begun := time.Now()
	if t.state, err = load(ctx, t.cfg.Store, t.cfg.Hasher, t.cfg.Policy.Shapes); err != nil {
		return causeOf(ctx, err)
	}
	if t.rowsDiffer {
		if why := describeDamage(t.state.Damaged()); why != "" {
			return fmt.Errorf("%w: %s. %s", ErrStateMismatch, why, remedy)
		}
		t.rowsDiffer = false
	}
	t.log.Info("state loaded", "batch", t.state.Number(), "epoch", t.Epoch, "took", time.Since(begun))
	t.cfg.Observer.Loaded(t.state.Number(), time.Since(begun))
	t.Working()

	listener, err := t.cfg.Store.Listen(ctx, store.TopicTransactions, store.TopicBatches)
	if err != nil {
		return causeOf(ctx, fmt.Errorf("listen for transactions: %w", err))
	}
	listening = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		t.listen(ctx, listener, cancel)
	}(listening)
	return causeOf(ctx, t.loop(ctx))
}

// causeOf prefers the reason for which ctx was cancelled to the error that the
// cancellation led to.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, store.ErrFenced) {
		return cause
	}
	return err
}

func (t *tenure) listen(ctx context.Context, l *store.Listener, cancel context.CancelCauseFunc) {
	for {
		_, err := l.Next(ctx)
		if err != nil {
			cancel(fmt.Errorf("listen for transactions: %w", err))
			break
		}
		t.poke()
	}
	background, done := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer done()
	if err := l.Close(background); err != nil {
		t.log.Debug("close the listener", "error", err)
	}
}

// begin opens the first batch on the loaded state.
func (t *tenure) begin(ctx context.Context) error {
	t.batch, t.held = t.state.Begin(), map[int64]struct{}{}
	t.waiting, t.full = newWaitingRoom(t.cfg.MaxWaiting), true
	return t.readBacklog(ctx)
}

// loop runs a pass whenever there may be something to do.
func (t *tenure) loop(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	for {
		flush := t.flush.Swap(false)
		if flush || time.Since(t.lastFull) >= t.cfg.PollInterval {
			t.full = true
		}
		wake, err := t.pass(ctx, flush)
		if errors.Is(err, errBlocked) {
			t.block(flush)
			wake, err = t.cfg.PollInterval, nil
		}
		if err != nil {
			return err
		}
		t.cfg.Observer.OpenBatch(t.usage())
		t.cfg.Observer.Waiting(t.waiting.count, len(t.deferred))
		if t.full && !t.blocked {
			continue
		}
		timer := time.NewTimer(wake)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// block gives up the rest of a pass. What was about to be executed is still
// accepted and comes again.
func (t *tenure) block(flush bool) {
	t.work, t.full = nil, true
	if flush {
		t.flush.Store(true)
	}
	t.tellBlocked(true)
}

func (t *tenure) tellBlocked(blocked bool) {
	if blocked != t.blocked {
		t.blocked = blocked
		t.log.Info("bound on unproven batches", "blocked", blocked, "unproven", t.unproven)
		t.cfg.Observer.Blocked(blocked)
	}
}

func (t *tenure) readBacklog(ctx context.Context) error {
	b, err := t.cfg.Store.Backlog(ctx)
	if err != nil {
		return err
	}
	t.unproven = int(b.Unproven)
	return nil
}

// usage is the open batch's; an empty batch has none, though state.Batch counts
// the root for it.
func (t *tenure) usage() settle.Usage {
	if len(t.open) == 0 {
		return settle.Usage{}
	}
	return t.batch.Usage()
}
