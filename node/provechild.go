package node

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/consensys/gnark/backend/groth16"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
)

// ChildCommand says how processes of settle are started.
type ChildCommand struct {
	Exe  string   // path of settle; empty: this binary
	Args []string // that all of them get, such as those of the log
}

// Proving returns the command of a proving process. It gets no secrets.
func (c ChildCommand) Proving(keys Keys, budget int64) func() (*exec.Cmd, error) {
	return func() (*exec.Cmd, error) {
		exe := c.Exe
		if exe == "" {
			// The path of a binary that was replaced leads nowhere; this link does not.
			exe = "/proc/self/exe"
			if _, err := os.Stat(exe); err != nil {
				if exe, err = os.Executable(); err != nil {
					return nil, fmt.Errorf("find this binary, to start a proving process: %w", err)
				}
			}
		}
		args := append(slices.Clone(c.Args), "prove-child", "--keys-dir", keys.Dir, "--keys-budget", strconv.FormatInt(budget, 10))
		if keys.UnsafeDev {
			args = append(args, "--unsafe-dev")
		}
		cmd := exec.Command(exe, args...)
		cmd.Env = without(os.Environ(), EnvDatabase, EnvL1, EnvL1Key)
		return cmd, nil
	}
}

// without returns an environment without variables of these names.
func without(environment []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return slices.Contains(names, name)
	})
}

// ProveChild is the process in which a worker proves: it serves the worker over standard
// input and output until it is gone. Signals that ask to stop are the worker's to obey:
// they come to the whole group, and a stopping worker finishes its proof.
func ProveChild(ctx context.Context, keys Keys, budget int64, log *slog.Logger) error {
	// If memory runs out the system should take this process and not its worker.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0) // best effort, Linux alone
	out := os.Stdout
	os.Stdout = os.Stderr // nothing but messages goes to the worker
	cache := provingkeys.NewCache(provingkeys.CacheConfig{
		Dir: keys.Dir, Budget: budget, Fingerprint: provingkeys.Committed, Options: keys.Options(),
	})
	folder := aggregator.NewFolder(func(shape string) (groth16.VerifyingKey, settle.KeyHash, error) {
		return provingkeys.InnerKey(keys.Dir, shape, provingkeys.Committed, keys.Options())
	})
	return prover.Serve(context.WithoutCancel(ctx), os.Stdin, out, prover.New(prover.Config{
		Circuit: settle.CircuitTransition, Keys: cache, Assign: prover.AssignTransition, Fold: folder.Assign, Log: log,
	}))
}
