package jobs_test

import (
	"context"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/store"
)

// counting counts the heartbeats that begin once it is told to.
type counting struct {
	*store.Store
	on    atomic.Bool
	beats atomic.Int64
}

func (c *counting) Heartbeat(ctx context.Context, l store.Lease, ttl time.Duration) error {
	if c.on.Load() {
		c.beats.Add(1)
	}
	return c.Store.Heartbeat(ctx, l, ttl)
}

// givingUp are the ways in which a group of batches 1 and 2 that is being folded is
// given up.
func givingUp(f *fleet) map[string]func() error {
	ctx := f.t.Context()
	epoch := func(role store.Role) store.Epoch {
		w, err := f.store.AcquireWriter(ctx, role, "test")
		require.NoError(f.t, err)
		f.t.Cleanup(func() { require.NoError(f.t, w.Release(context.WithoutCancel(ctx))) })
		return w.Epoch()
	}
	return map[string]func() error{
		"too late": func() error { return f.store.SettleDirectly(ctx, epoch(store.RoleAggregator), 1, 2, "fold_deadline") },
		"refused":  func() error { return f.store.GiveUpGroup(ctx, epoch(store.RoleSubmitter), 1, "refused") },
		"settled in another range": func() error {
			_, err := f.store.PrepareSettlement(ctx, epoch(store.RoleSubmitter), store.NewSettlement{
				Batch: 1, RawTx: []byte("raw"), TxHash: settle.Hash{1}, GasLimit: 1,
			})
			return err
		},
	}
}

// plannedFleet has a group of batches 1 and 2 whose job waits.
func plannedFleet(t *testing.T) *fleet {
	t.Helper()
	f := newFleet(t)
	f.seal(2)
	stop := f.start(f.config("prover", f.fake(nil)))
	f.awaitProofs(1, 2)
	stop()
	role, err := f.store.AcquireWriter(t.Context(), store.RoleAggregator, "test")
	require.NoError(t, err)
	f.planGroup(role.Epoch())
	require.NoError(t, role.Release(t.Context()))
	return f
}

// requireCancelled: the fold was called off, which is no failure and no dead letter,
// and nobody holds its lease.
func (f *fleet) requireCancelled() {
	f.t.Helper()
	f.awaitJob(1, store.JobCancelled)
	require.Equal(f.t, store.GroupDirect, f.group(1).Status)
	require.Empty(f.t, f.failures(1))
	dead, err := f.store.Jobs(f.t.Context(), store.JobFilter{DeadLetters: true})
	require.NoError(f.t, err)
	require.Empty(f.t, dead)
	var held int
	require.NoError(f.t, f.pool.QueryRow(f.t.Context(), "select count(*) from proof_jobs where status = 'running'").Scan(&held))
	require.Zero(f.t, held)
}

// A fold whose group is given up is stopped by its worker's next heartbeat.
func TestFoldOfAGivenUpGroupIsStopped(t *testing.T) {
	for name := range givingUp(&fleet{t: t}) {
		t.Run(name, func(t *testing.T) {
			f := plannedFleet(t)
			begun, stopped := make(chan struct{}), make(chan error, 1)
			p := &folder{before: func(ctx context.Context, _ settle.Element) error {
				close(begun)
				<-ctx.Done()
				stopped <- context.Cause(ctx)
				return ctx.Err()
			}}
			cfg, counted := f.foldingConfig("folds", p), &counting{Store: f.store}
			cfg.Store = counted
			f.start(cfg)
			<-begun
			require.NoError(t, givingUp(f)[name]())
			counted.on.Store(true)
			require.ErrorIs(t, <-stopped, store.ErrJobCancelled)
			require.LessOrEqual(t, counted.beats.Load(), int64(1), "heartbeats until it heard")
			f.requireCancelled()
			require.Equal(t, 1, p.count())

			f.seal(1)
			f.awaitProofs(3)
		})
	}
}

// A job that waits is cancelled in the very transaction.
func TestWaitingFoldIsCancelled(t *testing.T) {
	for name := range givingUp(&fleet{t: t}) {
		t.Run(name, func(t *testing.T) {
			f := plannedFleet(t)
			require.NoError(t, givingUp(f)[name]())
			require.Equal(t, store.JobCancelled, f.job(1).Status)
			f.requireCancelled()
		})
	}
}

// A worker that dies while its group is given up leaves no job behind.
func TestGivenUpFoldOfADeadWorker(t *testing.T) {
	f := plannedFleet(t)
	dead := f.die(f.group(1).ProofKey())
	require.NoError(t, givingUp(f)["too late"]())
	f.requireCancelled()
	overdue, err := f.store.ExpiredLeases(t.Context())
	require.NoError(t, err)
	require.Empty(t, overdue)
	reaped, err := f.store.ReapJob(t.Context(), dead, func([]store.ProofFailure) store.Requeue { return store.Requeue{} })
	require.NoError(t, err)
	require.False(t, reaped)
	require.Equal(t, store.JobCancelled, f.job(1).Status)
}

// childFolder folds in a process that never answers.
type childFolder struct {
	*prover.Child
	begun chan struct{}
}

func (c *childFolder) Fold(ctx context.Context, shape string, proofs []settle.ProofEnvelope) (prover.Result, error) {
	close(c.begun)
	return c.Child.Fold(ctx, shape, proofs)
}

// The proving process of a fold that nobody needs is killed.
func TestGivenUpFoldsProcessIsKilled(t *testing.T) {
	f := plannedFleet(t)
	started := make(chan *exec.Cmd, 1)
	child := prover.NewChild(prover.ChildConfig{Circuit: settle.CircuitTransition, Log: testLogger(t), Command: func() (*exec.Cmd, error) {
		cmd := exec.Command("tail", "-f", "/dev/null")
		started <- cmd
		return cmd, nil
	}})
	t.Cleanup(child.Close)
	p := &childFolder{child, make(chan struct{})}
	f.start(f.foldingConfig("folds", p))
	<-p.begun
	cmd := <-started
	f.eventually("the process runs", func() bool { n, _ := child.Resident(); return n > 0 })
	pid := cmd.Process.Pid
	require.NoError(t, syscall.Kill(pid, 0))
	require.NoError(t, givingUp(f)["too late"]())
	f.requireCancelled()
	f.eventually("the process is gone", func() bool { return syscall.Kill(pid, 0) != nil })
}

var _ jobs.Folder = (*childFolder)(nil)
