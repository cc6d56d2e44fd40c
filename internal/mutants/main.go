// Command mutants shows that the tests notice every constraint that is taken out of the
// circuits or says less, and every condition of the native packages beside them that
// refuses less: for each one it runs the attacks of its package on a copy of the source
// without it (go test -overlay). It fails on a mutant that survives and does not stand
// in survivors.txt with a reason, and on one that stands there and does not survive.
//
//	go run ./internal/mutants [-run pattern] [-list]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
)

// suite says which tests attack the constraints of a folder.
type suite struct {
	dir    string
	native bool
	tests  []tests // in order, until one fails
}

// tests are those of a folder whose name matches the pattern of go test -run, with flags
// of theirs.
type tests struct{ dir, pattern, flags string }

func suites() []suite {
	// What the transition circuit commits is read from its constraints.
	committed := tests{"circuits/transition", "^(TestCommittedWires|TestNothingIsChosenAfterTheChallenge)$", "-short -timeout=10m"}
	gadgets := tests{"circuits/gadget", "Refused|Accepted|HasNoSolution|Points|EachBit", "-short -timeout=10m"}
	transition := tests{"circuits/transition", "^(TestAttacks|TestFieldsOfTuplesAreApart|TestForgerIsHonestByDefault|TestSignatureIsForOneKind)$", "-short -timeout=10m"}
	records := tests{"circuits/transition", "^(TestRecordsAreTheTransfers|TestDataIsTheBatch|TestPaddingSaysNothing|TestSignatureIsForOneMessage)$", "-short -timeout=10m"}
	// With as many random cases as ever: some properties count what they have seen.
	whole := func(dir string) suite { return suite{dir, true, []tests{{dir, ".", "-timeout=1m"}}} }
	return []suite{
		{"circuits/rules", false, []tests{{"circuits/rules", ".", "-short -timeout=10m"}, transition, committed, records}},
		{"circuits/bus", false, []tests{{"circuits/bus", ".", "-short -timeout=10m"}, committed, gadgets, transition, records}},
		{"circuits/gadget", false, []tests{gadgets, committed, {"circuits/transition", "^TestAttacks$", "-short -timeout=10m"}}},
		{"circuits/transition", false, []tests{transition, committed, records}},
		{"circuits/aggregate", false, []tests{{"circuits/aggregate", "^(TestOpeningRules|TestPointRules|TestForgery.*|TestAssertDifferent.*|TestTranscript.*" +
			"|TestChallengeInConstraints|TestBothCoordinates.*|TestNewKey.*|TestSumInConstraints)$", "-short -timeout=10m"}}},
		whole("schnorr"), whole("publicdata"), whole("state"), whole("verifier"),
	}
}

func main() {
	pattern := flag.String("run", "", "only mutants whose name matches")
	list := flag.Bool("list", false, "list the mutants and run nothing")
	listed := flag.String("survivors", "internal/mutants/survivors.txt", "mutants that may survive, with reasons")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *pattern, *list, *listed); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, pattern string, list bool, listed string) error {
	only, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	reasons, err := survivors(listed)
	if err != nil {
		return err
	}
	var wrong []error
	tried, survived := 0, 0
	known := map[string]bool{}
	for _, s := range suites() {
		mutants, err := find(s.dir, s.native)
		if err != nil {
			return err
		}
		for _, m := range mutants {
			known[m.name] = true
			if !only.MatchString(m.name) {
				continue
			}
			if list {
				fmt.Fprintln(os.Stdout, m.name)
				continue
			}
			survives, err := m.survives(ctx, s.tests)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			tried++
			reason, may := reasons[m.name]
			switch {
			case err != nil:
				wrong = append(wrong, err)
				fmt.Fprintln(os.Stdout, "BROKEN  ", m.name)
			case survives && !may:
				wrong = append(wrong, fmt.Errorf("survives: %s", m.name))
				fmt.Fprintln(os.Stdout, "SURVIVES", m.name)
			case survives:
				survived++
				fmt.Fprintln(os.Stdout, "survives", m.name, "#", reason)
			case may:
				wrong = append(wrong, fmt.Errorf("does not survive any more: %s", m.name))
				fmt.Fprintln(os.Stdout, "CAUGHT  ", m.name)
			default:
				fmt.Fprintln(os.Stdout, "caught  ", m.name)
			}
		}
	}
	for name := range reasons {
		if !known[name] {
			wrong = append(wrong, fmt.Errorf("%s lists what is no mutant: %s", listed, name))
		}
	}
	fmt.Fprintf(os.Stdout, "%d mutants, %d survive for a reason, %d wrong\n", tried, survived, len(wrong))
	return errors.Join(wrong...)
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

// survives runs tests on the mutant until one fails.
func (m mutant) survives(ctx context.Context, all []tests) (bool, error) {
	for _, t := range all {
		if passed, err := m.passes(ctx, t); err != nil || !passed {
			return false, err
		}
	}
	return true, nil
}

// passes runs tests on the mutant, and reports whether all of them pass.
func (m mutant) passes(ctx context.Context, t tests) (passed bool, err error) {
	dir, err := os.MkdirTemp("", "settle-mutant-")
	if err != nil {
		return false, fmt.Errorf("mutant: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	original, err := filepath.Abs(m.file)
	if err != nil {
		return false, fmt.Errorf("mutant: %w", err)
	}
	copied, overlay := filepath.Join(dir, "copy.go"), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{original: copied}})
	if err != nil {
		return false, fmt.Errorf("mutant: %w", err)
	}
	if err := errors.Join(os.WriteFile(copied, []byte(m.text), 0o600), os.WriteFile(overlay, replaced, 0o600)); err != nil {
		return false, fmt.Errorf("mutant: %w", err)
	}
	arguments := append([]string{"test", "-overlay", overlay, "-failfast", "-count=1", "-vet=off", "-run", t.pattern}, strings.Fields(t.flags)...)
	command := exec.CommandContext(ctx, "go", append(arguments, "./"+t.dir)...)
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil && bytes.Contains(output, []byte("no tests to run")):
		return false, fmt.Errorf("%s has no tests %s", t.dir, t.pattern)
	case err == nil:
		return true, nil
	case errors.As(err, &failed) && ctx.Err() == nil && (bytes.Contains(output, []byte("--- FAIL")) || bytes.Contains(output, []byte("panic: ")) || bytes.Contains(output, []byte("fatal error: "))):
		return false, nil // one that panics, runs out of memory or never ends is noticed too
	}
	return false, fmt.Errorf("%s: %w: %s", m.name, err, output)
}
