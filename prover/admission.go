package prover

import (
	"errors"
	"fmt"

	"github.com/zksettle/settle/provingkeys"
)

// Memory that a proof takes besides its loaded keys, measured as peak resident
// memory of the proving process (admission_test.go).
const (
	// baseMemory is the process itself: binary, runtime, tables of the field.
	baseMemory = 128 << 20
	// perDomainElement is what the prover works on for each element of the FFT domain:
	// wires, three polynomials, scalars and buckets of the multi-exponentiations, and
	// what the garbage collector has not taken back.
	perDomainElement = 1536
)

// Need estimates the peak memory of a process that proves a shape under these keys
// and holds no others:
//
//	128 MiB + Manifest.MemoryBytes + 1,536 B · size of the FFT domain
//
// It is meant to be above the peak, and at most twice it from 2^17 on.
func Need(m *provingkeys.Manifest) uint64 {
	return baseMemory + uint64(m.MemoryBytes()) + perDomainElement*m.Domain
}

// ErrMemory reports a shape for which there is not enough memory.
var ErrMemory = errors.New("not enough memory")

// MemoryShortError says what is missing. It is ErrMemory.
type MemoryShortError struct {
	Shape     string
	Need      uint64 // bytes, by Need
	Available uint64 // bytes
	Limit     uint64 // bytes that this worker may take; below Need: never enough
}

// Never reports whether the worker is too small for the shape at all.
func (e *MemoryShortError) Never() bool { return e.Need > e.Limit }

// Error implements error.
func (e *MemoryShortError) Error() string {
	if e.Never() {
		return fmt.Sprintf("%v: a proof of shape %s needs %d MiB, this worker may take %d MiB", ErrMemory, e.Shape, e.Need>>20, e.Limit>>20)
	}
	return fmt.Sprintf("%v: a proof of shape %s needs %d MiB, %d MiB are available", ErrMemory, e.Shape, e.Need>>20, e.Available>>20)
}

// Unwrap gives ErrMemory.
func (e *MemoryShortError) Unwrap() error { return ErrMemory }

// Admission decides whether there is memory for a proof before a worker claims its
// job. Two workers of one machine that look at the same moment may both be let in;
// if that is one too many, the death of a child says so (ClassResource).
type Admission struct {
	Limit uint64                    // bytes that this worker may take
	Needs map[string]uint64         // by shape, from Need
	Keys  map[string]uint64         // by shape, Manifest.MemoryBytes
	Free  func() (uint64, error)    // Machine.Available
	Child func() (uint64, []string) // Child.Resident
}

// Admit returns nil if the shape can be proven now, else a *MemoryShortError. What the
// proving process holds already counts as available, but for keys of other shapes.
// A system that does not tell its memory (ErrMemoryUnknown) is held to Limit alone.
func (a *Admission) Admit(shape string) error {
	short := &MemoryShortError{Shape: shape, Need: a.Needs[shape], Limit: a.Limit}
	if short.Never() {
		return short
	}
	free, err := a.Free()
	if errors.Is(err, ErrMemoryUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	held, loaded := a.Child()
	for _, other := range loaded {
		if other != shape {
			held -= min(held, a.Keys[other])
		}
	}
	if short.Available = free + held; short.Available < short.Need {
		return short
	}
	return nil
}

// KeysBudget is how many bytes of keys the proving process may keep so that it stays
// within the limit whichever shape it proves; at least the largest key that fits.
func (a *Admission) KeysBudget() uint64 {
	var working, largest uint64
	for shape, need := range a.Needs {
		if need > a.Limit {
			continue
		}
		working = max(working, need-a.Keys[shape])
		largest = max(largest, a.Keys[shape])
	}
	return max(largest, a.Limit-min(a.Limit, working))
}
