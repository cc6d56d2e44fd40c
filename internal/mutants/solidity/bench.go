package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed solc.js
var solc []byte

// longest is how long the tests of a mutant may run: one that never ends is noticed too.
const longest = 5 * time.Minute

// bench is a private copy of the contracts, with a compiler that stays warm.
type bench struct {
	root      string // of the project
	dir       string // of the copy
	files     map[string]string
	changed   string // the file in which a mutant stands
	compiler  *exec.Cmd
	input     io.Closer
	variables []string
}

// optimized are files whose tests of what they compute are bounds of gas at once. The others are compiled without the
// optimizer, three times as fast.
func optimized(file string) bool { return strings.HasPrefix(file, "Poseidon2") }

// open makes a bench below dir. Its fuzz tests have a fixed seed, so that a verdict is the same each time.
func open(ctx context.Context, root, dir string, files map[string]string) (b *bench, err error) {
	b = &bench{root: root, dir: dir, files: files}
	for _, from := range []string{"verifier/contracts/src", "verifier/contracts/test", "verifier/contracts/testdata", "publicdata/testdata"} {
		to := filepath.Join(dir, from)
		if err := os.CopyFS(to, os.DirFS(filepath.Join(root, from))); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
	}
	settings, err := os.ReadFile(filepath.Join(root, "verifier/contracts/foundry.toml"))
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	compiler, socket := filepath.Join(dir, "solc"), filepath.Join(dir, "solc.sock")
	err = errors.Join(os.WriteFile(filepath.Join(dir, "verifier/contracts/foundry.toml"), settings, 0o600),
		os.WriteFile(compiler, solc, 0o700)) //nolint:gosec // it is run
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := b.serve(ctx, compiler, socket); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bench) serve(ctx context.Context, compiler, socket string) error {
	b.compiler = exec.CommandContext(ctx, "node", compiler, "serve", socket, filepath.Join(b.root, "tools/node_modules/solc"))
	b.compiler.Stderr = os.Stderr
	input, err1 := b.compiler.StdinPipe()
	output, err2 := b.compiler.StdoutPipe()
	if err := errors.Join(err1, err2, b.compiler.Start()); err != nil {
		return fmt.Errorf("bench: compiler: %w", err)
	}
	b.input = input
	version, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("bench: the compiler does not start (run make tools): %w", errors.Join(err, b.close()))
	}
	b.variables = append(os.Environ(), "SETTLE_SOLC_SOCKET="+socket, "SETTLE_SOLC_VERSION="+strings.TrimSpace(version),
		"FOUNDRY_SOLC="+compiler, "FOUNDRY_FUZZ_RUNS=32", "FOUNDRY_FUZZ_SEED=0x5e771e")
	return nil
}

func (b *bench) close() error {
	return errors.Join(b.input.Close(), b.compiler.Wait())
}

// write puts a file's text into the copy, and the file that a mutant stood in back to what it was.
func (b *bench) write(file, text string) error {
	if b.changed != "" && b.changed != file {
		if err := b.put(b.changed, b.files[b.changed]); err != nil {
			return err
		}
	}
	b.changed = file
	return b.put(file, text)
}

func (b *bench) put(file, text string) error {
	if err := os.WriteFile(filepath.Join(b.dir, "verifier/contracts/src", file), []byte(text), 0o600); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// errNoContract says that the compiler refuses a mutant, so that nothing of it can be deployed.
var errNoContract = errors.New("does not compile")

// passes runs the tests that attack a file on this text of it, and reports whether all pass, or errNoContract. The first
// suite, which notices most, is compiled and run alone, and the others only if it passes: that halves the cost.
func (b *bench) passes(ctx context.Context, file, text string) (bool, error) {
	if err := b.write(file, text); err != nil {
		return false, err
	}
	tests := suites()[file]
	if passed, err := b.run(ctx, file, tests[:1]); !passed || err != nil || len(tests) == 1 {
		return passed, err
	}
	return b.run(ctx, file, tests[1:])
}

func (b *bench) run(ctx context.Context, file string, tests []string) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	command := exec.CommandContext(limited, "node", filepath.Join(b.root, "tools/forge"), "test", "--offline", "--fail-fast",
		"--match-path", "test/{"+strings.Join(tests, ",")+"}.t.sol")
	command.Dir, command.Env = filepath.Join(b.dir, "verifier/contracts"), append(b.variables, "FOUNDRY_OPTIMIZER="+strconv.FormatBool(optimized(file)))
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err == nil && !bytes.Contains(output, []byte("[PASS]")):
		return false, fmt.Errorf("no test ran: %s", output)
	case err == nil:
		return true, nil
	case errors.As(err, &failed) && (bytes.Contains(output, []byte("[FAIL")) || limited.Err() != nil):
		return false, nil
	case errors.As(err, &failed) && bytes.Contains(output, []byte("Compiler run failed")):
		return false, fmt.Errorf("%w: %s", errNoContract, output)
	}
	return false, fmt.Errorf("%w: %s", err, output)
}
