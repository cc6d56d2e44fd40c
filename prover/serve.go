package prover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zksettle/settle/state"
)

// Serve is the child's side of Child: it proves with the engine what it is asked
// for over in, answers over out, one order after another, and returns when in ends,
// also in the middle of a proof. The caller then ends the process, which is the
// only way to stop gnark. A nil error means that in ended between messages.
func Serve(ctx context.Context, in io.Reader, out io.Writer, engine *Engine) error {
	if err := writeFrame(out, frameReady, ready{Circuit: engine.Circuit()}); err != nil {
		return err
	}
	frames, ended := make(chan frame), make(chan error, 1)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		buffered := bufio.NewReader(in)
		for {
			f, err := readFrame(buffered)
			if err != nil {
				ended <- err
				return
			}
			select {
			case frames <- f:
			case <-stop:
				return
			}
		}
	}()
	answered := make(chan error, 1)
	answered <- nil
	for {
		select {
		case err := <-answered:
			if err != nil {
				return err
			}
		case err := <-ended:
			return untilEnd(err)
		}
		select {
		case f := <-frames:
			go func() { answered <- writeFrame(out, frameDone, engine.answer(ctx, f)) }()
		case err := <-ended:
			return untilEnd(err)
		}
	}
}

func untilEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// answer carries an order out.
func (e *Engine) answer(ctx context.Context, f frame) done {
	result, err := e.obey(ctx, f)
	if err == nil {
		return done{Result: result}
	}
	var failed *Error
	if !errors.As(err, &failed) {
		failed = fail(ClassBug, "message", err)
	}
	return done{Failure: &failure{failed.Class, failed.Step, failed.Err.Error()}}
}

func (e *Engine) obey(ctx context.Context, f frame) (*Result, error) {
	var o order
	if err := f.decode(f.kind, &o); err != nil {
		return nil, err
	}
	switch f.kind {
	case frameLoad:
		return nil, e.Load(ctx, o.Shape)
	case frameProve:
		trace, err := state.DecodeTrace(o.Trace)
		if err != nil {
			return nil, fail(ClassWitness, "witness input", err)
		}
		result, err := e.Prove(ctx, o.Shape, trace)
		if err != nil {
			return nil, err
		}
		return &result, nil
	case frameFold:
		result, err := e.Fold(ctx, o.Shape, o.Proofs)
		if err != nil {
			return nil, err
		}
		return &result, nil
	default:
		return nil, fmt.Errorf("%w: an order of kind %d", errWire, f.kind)
	}
}
