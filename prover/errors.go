package prover

import (
	"errors"
	"fmt"

	"github.com/zksettle/settle"
)

// Class says whose fault a failure is.
type Class string

// Classes of failure.
const (
	ClassWitness        Class = "witness"        // the batch does not satisfy the circuit
	ClassResource       Class = "resource"       // memory ran out, or would have
	ClassInfrastructure Class = "infrastructure" // keys unreadable, interrupted
	ClassBug            Class = "bug"            // panic, missing hint, or a proof that does not verify
)

// Error is a failure of one step.
type Error struct {
	Class Class
	Step  string // keys, assign, prove, verify
	Err   error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s (%s): %v", e.Step, e.Class, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// fail keeps err's chain unless a Refusal hangs in it: whoever looks for bad input
// must not find it in a failure of ours.
func fail(class Class, step string, err error) *Error {
	if _, refused := settle.AsRefusal(err); refused {
		err = errors.New(err.Error())
	}
	return &Error{class, step, err}
}

// ClassOf returns the class of a failure; what no prover classified is
// infrastructure.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ClassInfrastructure
}
