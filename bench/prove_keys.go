package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
)

// Measured with gnark 0.16.1 on 2 cores, per element of the FFT domain: first guesses
// of time and memory, before there is anything better.
const (
	provingKeyBytes = 360
	systemBytes     = 116
	setupBytes      = 3072 // peak of compiling and setting up
	setupTime       = 150 * time.Microsecond
	compileTime     = 12 * time.Microsecond
	proofTime       = 11 * time.Microsecond
	loadTime        = time.Microsecond
	guessCores      = 2
)

// guess scales a time per element to a domain and to this machine's cores.
func guess(perElement time.Duration, domain uint64) time.Duration {
	return perElement * time.Duration(domain) * guessCores / time.Duration(max(1, runtime.GOMAXPROCS(0)))
}

// domainLogs are the FFT domains of the shapes, which only compiling tells; the
// committed counts of constraints must agree (TestDomains).
func domainLogs() map[string]int {
	return map[string]int{"tiny": 15, "demo": 17, "small": 20, "medium": 21, "large": 23}
}

// shapeKeys finds and makes the keys of one shape of the transition circuit.
type shapeKeys struct {
	dir   string
	shape circuits.Shape
	log   *slog.Logger
}

func (k shapeKeys) options() provingkeys.Options {
	return provingkeys.Options{AllowUnsafeDev: true, Log: k.log} // no value is at stake
}

// manifest is that of the keys, or a likely one where there are no keys yet; there
// tells which.
func (k shapeKeys) manifest() (m *provingkeys.Manifest, there bool, err error) {
	id, err := provingkeys.TransitionID(k.shape.Name)
	if err != nil {
		return nil, false, err
	}
	m, err = provingkeys.ReadManifest(k.dir, id, k.options())
	if !errors.Is(err, provingkeys.ErrMissing) {
		return m, true, err
	}
	log, known := domainLogs()[k.shape.Name]
	if !known {
		return nil, false, fmt.Errorf("no domain is known for shape %s: %w", k.shape.Name, err)
	}
	domain := uint64(1) << log
	return &provingkeys.Manifest{
		Domain: domain, ProvingKey: provingkeys.File{Bytes: provingKeyBytes << log}, System: provingkeys.File{Bytes: systemBytes << log},
	}, false, nil
}

func (k shapeKeys) compile() (constraint.ConstraintSystem, error) { return circuits.Compile(k.shape) }

// setup makes the keys by a development setup unless they are there.
func (k shapeKeys) setup(ctx context.Context) error {
	id, err := provingkeys.TransitionID(k.shape.Name)
	if err != nil {
		return err
	}
	_, err = provingkeys.Setup(ctx, k.dir, id, k.compile, k.options())
	return err
}

// open makes the keys if need be and loads them.
func (k shapeKeys) open(ctx context.Context) (*provingkeys.Keys, error) {
	if err := k.setup(ctx); err != nil {
		return nil, err
	}
	id, err := provingkeys.TransitionID(k.shape.Name)
	if err != nil {
		return nil, err
	}
	return provingkeys.Open(ctx, k.dir, id, provingkeys.Options{AllowUnsafeDev: true}) // a log line a load is too many
}

// release gives memory of dropped keys back to the system, so that the next task and
// its child processes find it.
func release() error {
	debug.FreeOSMemory()
	return nil
}

// need is the memory of a process that proves under the keys, and time guesses of a task.
func (k shapeKeys) need() (memory, domain uint64, err error) {
	m, there, err := k.manifest()
	if err != nil {
		return 0, 0, err
	}
	memory = prover.Need(m)
	if !there {
		memory = max(memory, setupBytes*m.Domain) // a task that finds no keys makes them
	}
	return memory, m.Domain, nil
}

// power writes 2^20.
func power(domain uint64) string { return fmt.Sprintf("2^%d", bits.TrailingZeros64(domain)) }
