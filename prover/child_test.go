package prover_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark/backend/witness"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/state"
)

const (
	serveKeys        = "SETTLE_TEST_SERVE_KEYS"
	serveFingerprint = "SETTLE_TEST_SERVE_FINGERPRINT"
)

// Batches by whose number the toy child knows how to fail.
const (
	healthy settle.BatchNumber = iota + 1
	unsatisfied
	panics
	panicsElsewhere
	exits
	hangs
	devours
	babbles
)

// serveToy is the proving child of the toy circuit.
func serveToy(dir, fingerprint string) error {
	var f settle.Fingerprint
	if err := f.UnmarshalText([]byte(fingerprint)); err != nil {
		return err
	}
	return prover.Serve(context.Background(), os.Stdin, os.Stdout, foldEngine(toyCache(dir, f)))
}

func misbehave(shape string, tr *state.Trace) (witness.Witness, error) {
	switch tr.Header.Number {
	case unsatisfied:
		return nil, errors.New("no such witness")
	case panics:
		panic("boom")
	case panicsElsewhere:
		go panic("boom elsewhere")
		select {}
	case exits:
		fmt.Fprintln(os.Stderr, "I had enough")
		os.Exit(3)
	case hangs:
		fmt.Fprintln(os.Stderr, "hanging")
		select {}
	case devours:
		devour()
	case babbles:
		_, _ = fmt.Println("not a message")
		select {}
	}
	return assignToy(shape, tr)
}

// devour asks for more memory than its address space has.
func devour() {
	limit := syscall.Rlimit{Cur: 4 << 30, Max: 4 << 30}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		panic(err)
	}
	var kept [][]byte
	for range 8 {
		kept = append(kept, make([]byte, 1<<30))
	}
	fmt.Fprintln(os.Stderr, len(kept))
}

// words collects what children say, for whoever waits for it.
type words struct {
	mu   sync.Mutex
	said strings.Builder
	more chan struct{} // one who waits
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said.Write(b)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (w *words) await(t *testing.T, text string) {
	t.Helper()
	for {
		w.mu.Lock()
		found := strings.Contains(w.said.String(), text)
		w.mu.Unlock()
		if found {
			return
		}
		select {
		case <-w.more:
		case <-time.After(time.Minute):
			require.FailNow(t, "the child does not say "+text)
		}
	}
}

// toyChild is a child in a process of its own; pids lists those that were started.
type toyChild struct {
	*prover.Child
	words *words

	mu   sync.Mutex
	cmds []*exec.Cmd
}

func newChild(t *testing.T, limit time.Duration) *toyChild {
	t.Helper()
	dir, fingerprint := toyFolder(t)
	c := &toyChild{words: &words{more: make(chan struct{}, 1)}}
	c.Child = prover.NewChild(prover.ChildConfig{
		Circuit: "toy", TimeLimit: limit, Stderr: io.MultiWriter(c.words, t.Output()), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Command: func() (*exec.Cmd, error) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), serveKeys+"="+dir, serveFingerprint+"="+fingerprint.String())
			c.mu.Lock()
			defer c.mu.Unlock()
			c.cmds = append(c.cmds, cmd)
			return cmd, nil
		},
	})
	t.Cleanup(func() {
		c.Close()
		for _, cmd := range c.started() { // no process and no zombie is left
			require.NotNil(t, cmd.ProcessState)
			require.NoDirExists(t, fmt.Sprintf("/proc/%d", cmd.Process.Pid))
		}
	})
	return c
}

func (c *toyChild) started() []*exec.Cmd {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*exec.Cmd(nil), c.cmds...)
}

func (c *toyChild) pid() int {
	cmds := c.started()
	return cmds[len(cmds)-1].Process.Pid
}

func TestChildLoadsOnceAndProvesMany(t *testing.T) {
	c := newChild(t, 0)
	rss, loaded := c.Resident()
	require.Zero(t, rss)
	require.Empty(t, loaded)
	require.NoError(t, c.Load(t.Context(), toyShape))
	pid := c.pid()
	for range 3 {
		result, err := c.Prove(t.Context(), toyShape, trace(healthy))
		require.NoError(t, err)
		require.Equal(t, toyInputs(trace(healthy)), result.Proof.Inputs)
		require.Positive(t, result.Timings.Prove)
		require.Greater(t, result.PeakMemory, uint64(1<<20))
	}
	require.Equal(t, pid, c.pid())
	require.Len(t, c.started(), 1)
	folded, err := c.Fold(t.Context(), "tiny-3", threeProofs())
	require.NoError(t, err)
	requireFolded(t, folded)
	require.Equal(t, pid, c.pid(), "one process does both")
	_, err = c.Fold(t.Context(), "tiny-3", nil)
	require.Equal(t, prover.ClassWitness, prover.ClassOf(err))
	rss, loaded = c.Resident()
	require.Greater(t, rss, uint64(1<<20))
	require.Equal(t, []string{toyShape, "tiny-3"}, loaded)
	c.Close()
	_, err = c.Prove(t.Context(), toyShape, trace(healthy))
	require.NoError(t, err, "it is started again")
}

func TestDeathOfTheChildIsClassified(t *testing.T) {
	c := newChild(t, 0)
	for _, want := range []struct {
		name   string
		batch  settle.BatchNumber
		class  prover.Class
		detail string
	}{
		{"a failure", unsatisfied, prover.ClassWitness, "no such witness"},
		{"a panic that the engine catches", panics, prover.ClassBug, "boom"},
		{"a panic that ends the process", panicsElsewhere, prover.ClassBug, "panic: boom elsewhere"},
		{"an exit", exits, prover.ClassBug, "I had enough"},
		{"memory", devours, prover.ClassResource, "memory"},
		{"a stray word", babbles, prover.ClassBug, "do not understand each other"},
	} {
		t.Run(want.name, func(t *testing.T) {
			_, err := c.Prove(t.Context(), toyShape, trace(want.batch))
			require.Equal(t, want.class, prover.ClassOf(err), "%v", err)
			require.ErrorContains(t, err, want.detail)
			_, err = c.Prove(t.Context(), toyShape, trace(healthy))
			require.NoError(t, err, "the next batch is proven")
		})
	}
	_, err := c.Prove(t.Context(), "no such shape", trace(healthy))
	require.Equal(t, prover.ClassInfrastructure, prover.ClassOf(err), "%v", err)
	require.ErrorContains(t, err, "no such shape")
}

func TestKilledChildIsAResourceFailure(t *testing.T) {
	c := newChild(t, 0)
	result := make(chan error, 1)
	go func() {
		_, err := c.Prove(t.Context(), toyShape, trace(hangs))
		result <- err
	}()
	c.words.await(t, "hanging")
	require.NoError(t, syscall.Kill(c.pid(), syscall.SIGKILL))
	err := <-result
	require.Equal(t, prover.ClassResource, prover.ClassOf(err), "%v", err)
	_, err = c.Prove(t.Context(), toyShape, trace(healthy))
	require.NoError(t, err)
	require.Len(t, c.started(), 2)
}

func TestIdleChildThatDiesIsReplaced(t *testing.T) {
	c := newChild(t, 0)
	require.NoError(t, c.Load(t.Context(), toyShape))
	require.NoError(t, syscall.Kill(c.pid(), syscall.SIGKILL))
	require.Eventually(t, c.Ended, time.Minute, time.Millisecond)
	_, err := c.Prove(t.Context(), toyShape, trace(healthy))
	require.NoError(t, err)
}

func TestTimeLimitKillsTheChild(t *testing.T) {
	c := newChild(t, 3*time.Second)
	require.NoError(t, c.Load(t.Context(), toyShape))
	_, err := c.Prove(t.Context(), toyShape, trace(hangs))
	require.Equal(t, prover.ClassResource, prover.ClassOf(err), "%v", err)
	require.ErrorIs(t, err, prover.ErrTimeLimit)
	rss, _ := c.Resident()
	require.Zero(t, rss)
	_, err = c.Prove(t.Context(), toyShape, trace(healthy))
	require.NoError(t, err)
}

func TestCancelledProofKillsTheChildAtOnce(t *testing.T) {
	c := newChild(t, 0)
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := c.Prove(ctx, toyShape, trace(hangs))
		result <- err
	}()
	c.words.await(t, "hanging")
	// A stopped process is killed too.
	require.NoError(t, syscall.Kill(c.pid(), syscall.SIGSTOP))
	enough := errors.New("enough")
	cancel(enough)
	err := <-result
	require.ErrorIs(t, err, enough)
	require.Equal(t, prover.ClassInfrastructure, prover.ClassOf(err))
	rss, _ := c.Resident()
	require.Zero(t, rss)
}

// The end of its standard input ends the child in the middle of a proof: that is how
// it dies with its parent.
func TestChildDiesWithItsParent(t *testing.T) {
	dir, fingerprint := toyFolder(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveKeys+"="+dir, serveFingerprint+"="+fingerprint.String())
	said := &words{more: make(chan struct{}, 1)}
	cmd.Stderr = said
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, prover.WriteOrder(stdin, toyShape, trace(hangs)))
	said.await(t, "hanging")
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
}

func TestChildThatCannotStart(t *testing.T) {
	c := prover.NewChild(prover.ChildConfig{Circuit: "toy", Command: func() (*exec.Cmd, error) { return exec.Command("/no/such/program"), nil }})
	require.Equal(t, prover.ClassInfrastructure, prover.ClassOf(c.Load(t.Context(), toyShape)))
	other := newChild(t, 0)
	wrong := prover.NewChild(prover.ChildConfig{Circuit: "other", Command: func() (*exec.Cmd, error) {
		require.NoError(t, other.Load(t.Context(), toyShape))
		first := other.started()[0]
		cmd := exec.Command(first.Path)
		cmd.Env = first.Env
		return cmd, nil
	}})
	err := wrong.Load(t.Context(), toyShape)
	require.Equal(t, prover.ClassBug, prover.ClassOf(err))
	require.ErrorContains(t, err, strconv.Quote("toy"))
}
