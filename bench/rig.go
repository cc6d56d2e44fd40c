package bench

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/store"
)

// RigConfig is what the benchmarks of processes take. They run settle in its roles, on a
// private Postgres and a development chain, which both are gone at the end.
type RigConfig struct {
	Settle   string // path of the binary
	Shape    string
	Accounts int    // 0: what the shape is dimensioned for, but at most 65,536
	KeysDir  string // development keys are made there if there are none
	// Connect opens the store of a migrated database.
	Connect func(ctx context.Context, databaseURL string) (*store.Store, func(), error)
}

// accounts of a rig of this shape.
func (c RigConfig) accounts(shape circuits.Shape) int {
	if c.Accounts > 0 {
		return c.Accounts
	}
	accounts, _ := population(shape)
	return min(accounts, 1<<16)
}

func (c RigConfig) keys(shape circuits.Shape) shapeKeys {
	return shapeKeys{c.KeysDir, shape, slog.New(slog.DiscardHandler)}
}

// servingMemory is what Postgres, the chain and all roles but workers take, in bytes.
const servingMemory = 1 << 30

// settings are what a result depends on.
func (c RigConfig) settings(shape circuits.Shape) map[string]string {
	return map[string]string{"shape": c.Shape, "accounts": strconv.Itoa(c.accounts(shape))}
}

// rig is a rollup with a database and a chain of its own. Its roles are processes. A
// role that ends unasked ends ctx with its failure as the cause.
type rig struct {
	cfg        RigConfig
	shape      circuits.Shape
	population Population
	chainID    uint64
	rollup     settle.Address
	store      *store.Store
	apiURL     string         // of the API, once it runs
	client     *client.Client // of it

	ctx      context.Context
	fail     context.CancelCauseFunc
	settings map[string]string // environment of the roles
	key      string            // of the operator on the development chain
	roles    []*process        // in the order of their start
	closers  []func() error    // in the order of what they close
	watchers sync.WaitGroup
}

// startRig deploys a rollup. settings are environment variables of its roles.
func startRig(ctx context.Context, cfg RigConfig, settings map[string]string) (_ *rig, err error) {
	shape, err := circuits.ShapeByName(cfg.Shape)
	if err != nil {
		return nil, err
	}
	r := &rig{cfg: cfg, shape: shape, population: Population{Seed: 1, Accounts: cfg.accounts(shape)}, settings: map[string]string{}}
	r.ctx, r.fail = context.WithCancelCause(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	folder, err := os.MkdirTemp("", "settle-bench-")
	if err != nil {
		return nil, fmt.Errorf("folder of a benchmark: %w", err)
	}
	r.closers = append(r.closers, func() error { return os.RemoveAll(folder) })
	server, err := postgres.Start(ctx, postgres.Config{})
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, server.Stop)
	node, err := devchain.Start(ctx, devchain.Config{})
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, node.Close)
	key, err := devchain.DevKey(0)
	if err != nil {
		return nil, err
	}
	r.key = hex.EncodeToString(key.D.FillBytes(make([]byte, 32))) //nolint:staticcheck // PrivateKey.Bytes does not know the curve
	maps.Copy(r.settings, map[string]string{
		"DATABASE_URL": server.URL(), "L1_URL": node.URL(), "SETTLE_DATA_DIR": folder, "SETTLE_KEYS_DIR": cfg.KeysDir, "SETTLE_UNSAFE_DEV": "true",
		"SETTLE_SHAPES": cfg.Shape, "SETTLE_MIN_FEE": "0=1", "SETTLE_TIMELOCK": "1h", "SETTLE_LISTEN": "127.0.0.1:0",
	})
	maps.Copy(r.settings, settings)
	st, disconnect, err := cfg.Connect(ctx, server.URL())
	if err != nil {
		return nil, err
	}
	r.store = st
	r.closers = append(r.closers, func() error { disconnect(); return nil })
	return r, r.deploy(folder)
}

// deploy makes keys and puts the rollup on the chain, by the commands that operators use.
func (r *rig) deploy(folder string) error {
	keys, err := r.population.keys()
	if err != nil {
		return err
	}
	file, err := json.Marshal(genesisOf(keys))
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "genesis.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return fmt.Errorf("write genesis: %w", err)
	}
	if err := r.cfg.keys(r.shape).setup(r.ctx); err != nil {
		return err
	}
	out, err := r.run("deploy", "--genesis", path)
	if err != nil {
		return err
	}
	var deployment l1.Deployment
	if err := json.Unmarshal(out, &deployment); err != nil {
		return fmt.Errorf("read what deploy prints: %w", err)
	}
	r.chainID, r.rollup = deployment.ChainID, deployment.Rollup
	return nil
}

// command is settle. Nothing that configures it comes from the outside; only what speaks
// to the chain gets the key for it.
func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.cfg.Settle, append([]string{"--log-format", "json", "--log-level", "info"}, args...)...)
	cmd.Env = r.environment()
	if args[0] == "deploy" || args[0] == "submitter" {
		cmd.Env = append(cmd.Env, "SETTLE_L1_PRIVATE_KEY="+r.key)
	}
	return cmd
}

// helper is this binary, in the part of a benchmark's own.
func (r *rig) helper(args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary: %w", err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = r.environment()
	return cmd, nil
}

func (r *rig) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return strings.HasPrefix(name, "SETTLE_") || r.settings[name] != ""
	})
	for name, value := range r.settings {
		env = append(env, name+"="+value)
	}
	return env
}

// run runs a command to its end and returns what it prints.
func (r *rig) run(args ...string) ([]byte, error) {
	p, err := startProcess(r.command(args...), nil)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(r.ctx, p.kill)
	defer stop()
	var out bytes.Buffer
	_, err = io.Copy(&out, p.stdout)
	<-p.ended
	switch {
	case r.ctx.Err() != nil:
		return nil, context.Cause(r.ctx)
	case p.err != nil:
		return nil, p.failure()
	}
	return out.Bytes(), err
}

// role starts a role. observe gets its messages, on another goroutine; may be nil.
func (r *rig) role(observe func(logLine), args ...string) (*process, error) {
	p, err := r.keep(observe, args[0], r.command(args...))
	if err == nil {
		go func() { _, _ = io.Copy(io.Discard, p.stdout) }() // roles print nothing
	}
	return p, err
}

// keep starts a command that is to run until it is stopped.
func (r *rig) keep(observe func(logLine), role string, cmd *exec.Cmd) (*process, error) {
	p, err := startProcess(cmd, observe)
	if err != nil {
		return nil, err
	}
	p.role = role
	r.roles = append(r.roles, p)
	r.watchers.Go(func() {
		<-p.ended
		if !p.askedToStop() {
			r.fail(p.failure())
		}
	})
	return p, nil
}

// serve starts the API and waits until it is up.
func (r *rig) serve(args ...string) error {
	up := make(chan string, 1)
	_, err := r.role(func(l logLine) {
		if address, ok := l.Fields["url"].(string); ok && l.Msg == "the API is up" {
			up <- address
		}
	}, append([]string{"api"}, args...)...)
	if err != nil {
		return err
	}
	select {
	case r.apiURL = <-up:
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
	r.client, err = client.New(r.apiURL, client.WithRetries())
	return err
}

// stop stops roles, the last first.
func (r *rig) stop(roles ...*process) error {
	var errs []error
	for _, p := range slices.Backward(roles) {
		errs = append(errs, p.stop())
	}
	r.roles = slices.DeleteFunc(r.roles, func(p *process) bool { return slices.Contains(roles, p) })
	return errors.Join(errs...)
}

// await polls until done, a role fails, or ctx ends.
func (r *rig) await(done func(context.Context) (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done(r.ctx)
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		if err != nil || ok {
			return err
		}
		select {
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-tick.C:
		}
	}
}

// close stops everything, the last first, and removes it.
func (r *rig) close() error {
	err := r.stop(slices.Clone(r.roles)...)
	r.fail(errors.New("the benchmark is over"))
	r.watchers.Wait()
	for _, c := range slices.Backward(r.closers) {
		err = errors.Join(err, c())
	}
	return err
}
