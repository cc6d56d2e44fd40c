package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/jobs"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/store"
)

const (
	childURL    = "SETTLE_TEST_DATABASE"
	childProves = "proving " // and the batch number
	childGo     = "go\n"
)

// TestMain is also a worker process: it says what it proves, and finishes a proof
// when it is told to.
func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := child(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	shape, err := circuits.ShapeByName(shapeName)
	if err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	p := &fake{key: testKey, shape: shape.Capacity, before: func(_ context.Context, n settle.BatchNumber) error {
		fmt.Println(childProves + strconv.Itoa(int(n)))
		_, err := in.ReadString('\n')
		return err
	}}
	policy := quick()
	policy.LeaseTTL = mortalTTL
	return jobs.RunWorker(ctx, jobs.Config{
		Store: store.New(pool), Holder: "child", Policy: policy, Prover: p, Verifier: trusting{},
		Keys: map[string]settle.KeyHash{shapeName: testKey},
	})
}

// process is a worker in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Writer
	stdout *bufio.Reader
}

func (f *fleet) spawn() *process {
	f.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childURL+"="+f.url)
	cmd.Stderr = f.t.Output()
	stdin, err := cmd.StdinPipe()
	require.NoError(f.t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(f.t, err)
	require.NoError(f.t, cmd.Start())
	p := &process{f.t, cmd, stdin, bufio.NewReader(stdout)}
	f.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // it may have ended by itself
			_ = cmd.Wait()
		}
	})
	return p
}

// awaitProving waits until the process says that it proves batch n.
func (p *process) awaitProving(n settle.BatchNumber) {
	p.t.Helper()
	line, err := p.stdout.ReadString('\n')
	require.NoError(p.t, err)
	require.Equal(p.t, childProves+strconv.Itoa(int(n)), strings.TrimSpace(line))
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

func TestKilledWorkersJobIsTakenOver(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	p := f.spawn()
	p.awaitProving(1)
	f.start(f.config("survivor", f.fake(nil)))
	killed := time.Now()
	p.signal(syscall.SIGKILL)
	f.awaitProofs(1)
	require.Less(t, time.Since(killed), mortalTTL+5*time.Second)
	proof := f.proof(1)
	require.Equal(t, "survivor", proof.Worker)
	require.Equal(t, 2, proof.Attempt)
	require.False(t, proof.Late)
	f.awaitJob(1, store.JobCompleted)
	failures := f.failures(1)
	require.Len(t, failures, 1)
	require.Equal(t, "child", failures[0].Worker)
	require.Equal(t, 1, failures[0].Attempt)
	require.Equal(t, store.FailInfrastructure, failures[0].Class)
}

// A paused worker's job is proven by another one. When it continues, its proof is
// kept, as it came first, and the other's attempt is left alone.
func TestPausedWorkerCannotComplete(t *testing.T) {
	f := newFleet(t)
	f.seal(1)
	p := f.spawn()
	p.awaitProving(1)

	entered, leave := make(chan struct{}), make(chan struct{})
	f.start(f.config("successor", f.fake(func(context.Context, settle.BatchNumber) error {
		close(entered)
		<-leave // deaf to its context, so that the attempt stays open
		return nil
	})))
	p.signal(syscall.SIGSTOP)
	<-entered
	_, err := io.WriteString(p.stdin, childGo)
	require.NoError(t, err)
	p.signal(syscall.SIGCONT)
	f.awaitProofs(1)
	proof := f.proof(1)
	require.Equal(t, "child", proof.Worker)
	require.True(t, proof.Late)
	p.signal(syscall.SIGTERM) // it reports to the queue before it ends
	require.NoError(t, p.cmd.Wait())
	require.Equal(t, store.JobRunning, f.job(1).Status, "the second attempt belongs to the successor")
	require.Equal(t, 2, f.job(1).Attempt)

	close(leave)
	f.awaitJob(1, store.JobCompleted)
	require.Equal(t, "child", f.proof(1).Worker, "the proof is kept once")
}

func TestProofSurvivesARestartOfPostgres(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{}) // durable: what was committed is there again
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.NoError(t, migrations.Migrate(t.Context(), server.URL()))
	pool, err := pgxpool.New(t.Context(), server.URL())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	f := fleetOn(t, pool, server.URL(), testKey)
	f.seal(3)

	entered, leave := make(chan struct{}), make(chan struct{})
	var first settle.BatchNumber
	f.start(f.config("a", f.fake(func(_ context.Context, n settle.BatchNumber) error {
		if first == 0 {
			first = n
			close(entered)
			<-leave
		}
		return nil
	})))
	<-entered
	require.NoError(t, server.Kill())
	close(leave) // the proof is made while there is no database
	require.NoError(t, server.Resume(t.Context()))
	f.awaitProofs(1, 2, 3)
	require.Equal(t, "a", f.proof(first).Worker)
	for n := settle.BatchNumber(1); n <= 3; n++ {
		f.awaitJob(n, store.JobCompleted)
	}
}
