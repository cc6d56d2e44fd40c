package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/diagnosis"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

type replayCmd struct {
	dataFlags
	Batch uint32 `arg:"" help:"Number of the batch."`
	JSON  bool   `name:"json" help:"Print one JSON object."`
}

// Run goes through what a worker does with a batch, but for the proof, and says what
// fails. It changes nothing.
func (c replayCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		r, err := replay(a.Ctx, db.Store, settle.BatchNumber(c.Batch))
		if err != nil {
			return err
		}
		if c.JSON {
			err = a.PrintJSON(r)
		} else {
			err = r.write(a.Stdout)
		}
		if err == nil && !r.OK {
			err = fmt.Errorf("batch %d cannot be proven as it is stored", c.Batch)
		}
		return err
	})
}

// replayReport is what a replay finds.
type replayReport struct {
	Batch    settle.BatchNumber `json:"batch"`
	Shape    string             `json:"shape"`
	OK       bool               `json:"ok"`
	Findings []finding          `json:"findings"` // in the order of the steps; empty if ok
}

// finding is one thing that is wrong.
type finding struct {
	Step       string   `json:"step"` // input, batch, signature, assign, solve, rule
	Detail     string   `json:"detail"`
	Constraint *int     `json:"constraint,omitempty"` // the first that fails: its number in the constraint system
	Chip       string   `json:"chip,omitempty"`       // the step of the circuit that states it
	Rule       string   `json:"rule,omitempty"`       // broken rule of the circuit, or channel of its bus
	Place      *int     `json:"place,omitempty"`      // which of the rule's places in the shape, from 0 by slot
	Code       []string `json:"code,omitempty"`       // innermost first
}

func (r *replayReport) found(step string, err error) {
	r.Findings = append(r.Findings, finding{Step: step, Detail: err.Error()})
}

// replayStore is what a replay reads (*store.Store).
type replayStore interface {
	Batch(ctx context.Context, n settle.BatchNumber) (store.BatchDetail, error)
	BatchWords(ctx context.Context, n settle.BatchNumber) ([]settle.Element, error)
	WitnessInput(ctx context.Context, n settle.BatchNumber) (store.WitnessInput, error)
}

func replay(ctx context.Context, s replayStore, n settle.BatchNumber) (*replayReport, error) {
	batch, err := s.Batch(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("there is no batch %d", n)
	}
	if err != nil {
		return nil, err
	}
	r := &replayReport{Batch: n, Shape: batch.Shape, Findings: []finding{}}
	input, err := s.WitnessInput(ctx, n)
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNotFound) {
		r.found("input", err)
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	words, err := s.BatchWords(ctx, n)
	if err != nil {
		return nil, err
	}
	trace, err := state.DecodeTrace(input.Data)
	if err != nil {
		r.found("input", err)
		return r, nil
	}
	r.compare(batch.Batch, words, trace)
	r.signatures(trace)
	if err := r.solve(batch.Shape, trace); err != nil {
		return nil, err
	}
	r.OK = len(r.Findings) == 0
	return r, nil
}

// compare holds the input against what was stored of the batch beside it.
func (r *replayReport) compare(b store.Batch, words []settle.Element, trace *state.Trace) {
	h := trace.Header
	if h.Number != b.Number {
		r.found("batch", fmt.Errorf("the input is of batch %d", h.Number))
	}
	for _, root := range []struct {
		name         string
		input, batch settle.Element
	}{{"old", h.OldRoot.Bytes(), b.OldRoot}, {"new", h.NewRoot.Bytes(), b.NewRoot}} {
		if root.input != root.batch {
			r.found("batch", fmt.Errorf("the input has the %s root %s, the batch was sealed with %s", root.name, root.input, root.batch))
		}
	}
	var own []settle.Element
	for _, w := range trace.Data().Words() {
		own = append(own, w.Bytes())
	}
	if !slices.Equal(own, words) {
		r.found("batch", errors.New("the public data of the input are not those that were sealed"))
	}
}

func (r *replayReport) signatures(trace *state.Trace) {
	for i := range trace.Transactions {
		tx := &trace.Transactions[i].Transaction
		if err := schnorr.Verify(tx.PublicKey, tx.Message(trace.Header.Domain), tx.Signature); err != nil {
			r.found("signature", fmt.Errorf("transaction %d (%s of account %d, nonce %d): %w", i, tx.Kind, tx.From, tx.Nonce, err))
		}
	}
}

// solve assigns the witness and solves the constraint system. When a constraint does
// not hold, every rule that the witness breaks is named; a failure outside of all
// rules is traced to the code that states the constraint.
func (r *replayReport) solve(shapeName string, trace *state.Trace) error {
	shape, err := circuits.ShapeByName(shapeName)
	if err != nil {
		return err
	}
	witness, err := circuits.Assign(shape, trace)
	if err != nil {
		r.found("assign", err)
		return nil
	}
	system, err := circuits.Compile(shape)
	if err != nil {
		return err
	}
	err = diagnosis.Solve(system, witness)
	if err == nil {
		return nil
	}
	r.found("solve", err) // a hint that refuses its inputs names itself
	failed := &r.Findings[len(r.Findings)-1]
	var unsatisfied *diagnosis.UnsatisfiedError
	if errors.As(err, &unsatisfied) {
		failed.Constraint = &unsatisfied.Constraint
	}
	broken, err := circuits.Audit(shape, witness)
	if len(broken) == 0 && failed.Constraint != nil {
		return failed.locate(shape)
	}
	for _, v := range broken {
		f := finding{Step: "rule", Detail: v.Found, Rule: v.Rule, Place: &v.Place}
		if v.Code != "" {
			f.Code = []string{v.Code}
		}
		r.Findings = append(r.Findings, f)
	}
	if err != nil {
		r.found("rule", err)
	}
	return nil
}

// locate adds the code that states the failing constraint.
func (f *finding) locate(shape circuits.Shape) error {
	origin, err := circuits.Locate(shape, *f.Constraint)
	if err != nil {
		return err
	}
	f.Chip = origin.Chip
	for _, frame := range origin.Frames {
		f.Code = append(f.Code, frame.String())
	}
	return nil
}

// shownFindings is how many are printed as text: a wrong tree breaks hundreds.
const shownFindings = 40

func (r *replayReport) write(w io.Writer) error {
	if r.OK {
		_, err := fmt.Fprintf(w, "OK: batch %d (shape %s) satisfies its circuit: a proof of it can be made\n", r.Batch, r.Shape)
		return err
	}
	fmt.Fprintf(w, "batch %d (shape %s) fails:\n", r.Batch, r.Shape)
	for i, f := range r.Findings {
		if i == shownFindings {
			fmt.Fprintf(w, "  and %d more, which --json lists\n", len(r.Findings)-i)
			break
		}
		if f.Rule != "" {
			fmt.Fprintf(w, "  rule %q, place %d: %s\n", f.Rule, *f.Place, f.Detail)
		} else {
			fmt.Fprintf(w, "  %s: %s\n", f.Step, f.Detail)
		}
		if f.Chip != "" {
			fmt.Fprintf(w, "    constraint %d, stated by: %s\n", *f.Constraint, f.Chip)
		}
		for _, code := range f.Code {
			fmt.Fprintf(w, "      %s\n", code)
		}
	}
	return nil
}
