package diagnosis

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/profile"
	pprof "github.com/google/pprof/profile"
)

// Frame is a place in the source of a circuit.
type Frame struct {
	Function string // transition.(*chips).fees
	File     string // fees.go
	Line     int64
}

// String returns function (file:line).
func (f Frame) String() string { return fmt.Sprintf("%s (%s:%d)", f.Function, f.File, f.Line) }

// Origin says which code states a constraint.
type Origin struct {
	// Chip names the step of Define, for example "fees"; "deferred" for what gnark
	// states at the end for all of them together (range checks, lookups).
	Chip   string
	Frames []Frame // innermost first, our code and what it calls of gnark's gadgets
}

// ErrNoConstraint reports a number that no constraint of the system has.
var ErrNoConstraint = errors.New("no such constraint")

// Locate has a system compiled anew and returns the code that states a constraint of it,
// by the number in gnark's errors. It takes some 300 bytes of memory per constraint
// besides those of compiling. Nothing else may be compiled meanwhile: gnark records for
// the whole process.
func Locate(compile func() (constraint.ConstraintSystem, error), number int) (_ Origin, err error) {
	dir, err := os.MkdirTemp("", "settle-locate-")
	if err != nil {
		return Origin{}, fmt.Errorf("locate constraint: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "profile")
	// One sample per constraint, in their order.
	recording := profile.Start(profile.WithPath(file), profile.WithoutOperations())
	system, err := compile()
	recording.Stop()
	if err != nil {
		return Origin{}, fmt.Errorf("locate constraint: %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return Origin{}, fmt.Errorf("locate constraint: %w", err)
	}
	defer f.Close()
	recorded, err := pprof.Parse(f)
	if err != nil {
		return Origin{}, fmt.Errorf("locate constraint: %w", err)
	}
	samples := make([]*pprof.Sample, 0, len(recorded.Sample))
	for _, s := range recorded.Sample {
		if len(s.Value) == 1 && s.Value[0] == 1 { // not those of operations, which count no constraint
			samples = append(samples, s)
		}
	}
	if n := system.GetNbConstraints(); len(samples) != n {
		return Origin{}, fmt.Errorf("locate constraint: %d were recorded, the system has %d", len(samples), n)
	}
	if number < 0 || number >= len(samples) {
		return Origin{}, fmt.Errorf("%w: %d of %d", ErrNoConstraint, number, len(samples))
	}
	return originOf(samples[number]), nil
}

func originOf(s *pprof.Sample) Origin {
	o := Origin{Chip: "deferred"}
	for _, location := range s.Location {
		for _, line := range location.Line {
			name := line.Function.Name
			switch {
			case strings.Contains(name, "callDeferred"), strings.HasPrefix(name, "frontend."):
				return o
			case strings.HasPrefix(name, "r1cs."):
				continue
			}
			o.Frames = append(o.Frames, Frame{name, path.Base(line.Function.Filename), line.Line})
			if strings.HasSuffix(name, ".Define") {
				return o
			}
			if step, ok := strings.CutPrefix(name, "transition.(*chips)."); ok {
				o.Chip = step // the outermost comes last
			}
		}
	}
	return o
}
