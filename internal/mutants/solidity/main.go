// Command solidity shows that the contracts' tests notice everything that is taken out of a contract or says less:
// each condition of a refusal, each comparison, each write, call and event, each word that is hashed, each cast, the
// first and the last round of each loop. For each one it runs the tests that attack that contract on a copy without it.
// It fails on a mutant that survives, or that the compiler refuses, and does not stand in survivors.txt with a reason,
// and on one that stands there and is noticed.
//
//	go run ./internal/mutants/solidity [-run pattern] [-list] [-jobs n]
//
// It needs node and what make tools fetches.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// suites says which tests attack each contract, by the names of their files. The first notices most.
func suites() map[string][]string {
	return map[string][]string{
		"Aggregate.sol":            {"AggregateInputs", "Aggregate", "AggregateReview"},
		"ExitClaims.sol":           {"ExitClaims", "ExitClaimsAttack"},
		"Exits.sol":                {"Exits", "ExitClaims"},
		"Groth16Verifier.sol":      {"CoefficientAttack", "InfinityAttack", "MergedCheckAttack", "Groth16Verifier", "KeyCheck"},
		"IVerifier.sol":            nil, // says nothing
		"KeyCheck.sol":             {"KeyCheck", "KeyCheckAttack", "Groth16Verifier"},
		"Poseidon2.sol":            {"Poseidon2"},
		"Poseidon2Permutation.sol": {"Poseidon2"},
		"PublicData.sol":           {"PublicData", "Rollup", "Aggregate"},
		"Registry.sol":             {"RegistryAttack", "Registry", "ReviewRegistry"},
		"Rollup.sol":               {"RollupAttack", "Rollup", "ReviewRollup", "Aggregate", "RegistryAttack"},
	}
}

type options struct {
	pattern, listed string
	list            bool
	jobs            int
}

func main() {
	var o options
	flag.StringVar(&o.pattern, "run", "", "only mutants whose name matches")
	flag.BoolVar(&o.list, "list", false, "list the mutants and run nothing")
	flag.StringVar(&o.listed, "survivors", "internal/mutants/solidity/survivors.txt", "mutants that may survive, with reasons")
	flag.IntVar(&o.jobs, "jobs", 2, "mutants that are tried at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	only, err := regexp.Compile(o.pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	reasons, err := survivors(o.listed)
	if err != nil {
		return err
	}
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	asts, texts, err := trees(ctx, filepath.Join(root, "tools/solc"), "verifier/contracts/src")
	if err != nil {
		return err
	}
	known, chosen := map[string]bool{}, []mutant{}
	for _, m := range find(asts, texts) {
		known[m.name] = true
		if only.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	var wrong []error
	for _, name := range keys(reasons) {
		if !known[name] {
			wrong = append(wrong, fmt.Errorf("%s lists what is no mutant: %s", o.listed, name))
		}
	}
	if o.list {
		for _, m := range chosen {
			fmt.Fprintln(out, m.name)
		}
		return errors.Join(wrong...)
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return fmt.Errorf("mutants: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	t := &trial{reasons: reasons, out: out, wrong: wrong}
	queue := make(chan mutant)
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range min(o.jobs, len(chosen)) {
		group.Go(func() {
			if err := t.work(ctx, root, filepath.Join(dir, strconv.Itoa(i)), texts, queue); err != nil {
				t.fail(err)
				cancel()
			}
		})
	}
	for _, m := range chosen {
		select {
		case queue <- m:
		case <-ctx.Done():
		}
	}
	close(queue)
	group.Wait()
	fmt.Fprintf(out, "%d mutants, %d survive for a reason, %d wrong\n", t.tried, t.survived, len(t.wrong))
	return errors.Join(t.wrong...)
}

// trial is what several benches find out together.
type trial struct {
	reasons map[string]string

	mu              sync.Mutex
	out             io.Writer
	tried, survived int
	wrong           []error
}

func (t *trial) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = append(t.wrong, err)
}

// work tries mutants until there are no more. A contract's tests must pass before any is made of it.
func (t *trial) work(ctx context.Context, root, dir string, texts map[string]string, queue <-chan mutant) (err error) {
	b, err := open(ctx, root, dir, texts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	sound := map[string]bool{}
	for m := range queue {
		if !sound[m.file] {
			switch passed, err := b.passes(ctx, m.file, texts[m.file]); {
			case err != nil:
				return err
			case !passed:
				return fmt.Errorf("the tests of %s fail without a mutant", m.file)
			}
			sound[m.file] = true
		}
		survives, err := b.passes(ctx, m.file, m.text)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.judge(m, survives, err)
	}
	return nil
}

func (t *trial) judge(m mutant, survives bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tried++
	reason, may := t.reasons[m.name]
	switch {
	case may && errors.Is(err, errNoContract):
		t.survived++
		fmt.Fprintln(t.out, "refused ", m.name, "#", reason)
	case err != nil:
		t.wrong = append(t.wrong, fmt.Errorf("%s: %w", m.name, err))
		fmt.Fprintln(t.out, "BROKEN  ", m.name)
	case survives && !may:
		t.wrong = append(t.wrong, fmt.Errorf("survives: %s", m.name))
		fmt.Fprintln(t.out, "SURVIVES", m.name)
	case survives:
		t.survived++
		fmt.Fprintln(t.out, "survives", m.name, "#", reason)
	case may:
		t.wrong = append(t.wrong, fmt.Errorf("does not survive any more: %s", m.name))
		fmt.Fprintln(t.out, "CAUGHT  ", m.name)
	default:
		fmt.Fprintln(t.out, "caught  ", m.name)
	}
}

// survivors reads lines of a mutant's name, " # " and a reason.
func survivors(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("survivors: %w", err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, " # ")
		if !ok || reason == "" {
			return nil, fmt.Errorf("survivors: %q has no reason", line)
		}
		out[name] = reason
	}
	return out, nil
}
