package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/consensys/gnark/backend/witness"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
)

// rawPlan is what a process that proves by gnark's prover alone is started with.
type rawPlan struct {
	KeysDir string `json:"keys_dir"`
	Shape   string `json:"shape"`
}

// rawSpent is what groth16.Prove took of the traces of an order.
type rawSpent struct {
	Clock time.Duration `json:"clock"`
	Cores time.Duration `json:"cores"` // processor time of the process
}

// RawLoop serves the process that started it: it loads the keys that a plan names, says
// ready, and proves order after order, each a list of encoded traces, by groth16.Prove
// back to back. Witnesses are assigned before the clock starts. It ends with its input.
func RawLoop(ctx context.Context, in io.Reader, out io.Writer) error {
	input, output := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	var plan rawPlan
	if err := input.Decode(&plan); err != nil {
		return fmt.Errorf("read what to prove: %w", err)
	}
	raw, err := NewRawProver(ctx, plan.KeysDir, plan.Shape, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := output.Encode("ready"); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	for {
		var order [][]byte
		switch err := input.Decode(&order); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read traces: %w", err)
		}
		spent, err := raw.backToBack(order)
		if err != nil {
			return err
		}
		if err := output.Encode(spent); err != nil {
			return fmt.Errorf("write what it took: %w", err)
		}
	}
}

func (r *RawProver) backToBack(traces [][]byte) (rawSpent, error) {
	var witnesses []witness.Witness
	for _, data := range traces {
		trace, err := state.DecodeTrace(data)
		if err != nil {
			return rawSpent{}, err
		}
		full, err := r.Assign(trace)
		if err != nil {
			return rawSpent{}, fmt.Errorf("batch %d: %w", trace.Header.Number, err)
		}
		witnesses = append(witnesses, full)
	}
	took, err := measure(func() error {
		for _, full := range witnesses {
			if _, err := r.Prove(full); err != nil {
				return err
			}
		}
		return nil
	})
	return rawSpent{took.clock, took.cores}, err
}

// rawProcess is a process in RawLoop.
type rawProcess struct {
	rig *rig
	p   *process
	in  *json.Encoder
	out *json.Decoder
}

// startRaw starts a process that proves by gnark's prover alone, and waits until it has
// loaded its keys.
func (r *rig) startRaw() (*rawProcess, error) {
	cmd, err := r.helper("raw")
	if err != nil {
		return nil, err
	}
	p, err := r.keep(nil, "raw", cmd)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(r.ctx, p.kill) // an order is not waited for
	raw := &rawProcess{r, p, json.NewEncoder(p.stdin), json.NewDecoder(p.stdout)}
	var word string
	return raw, raw.ask(rawPlan{r.cfg.KeysDir, r.cfg.Shape}, &word)
}

// prove proves stored batches back to back.
func (r *rawProcess) prove(ctx context.Context, batches []settle.BatchNumber) (rawSpent, error) {
	var traces [][]byte
	for _, n := range batches {
		input, err := r.rig.store.WitnessInput(ctx, n)
		if err != nil {
			return rawSpent{}, err
		}
		traces = append(traces, input.Data)
	}
	var spent rawSpent
	err := r.ask(traces, &spent)
	return spent, err
}

func (r *rawProcess) ask(order, answer any) error {
	err := errors.Join(r.in.Encode(order), r.out.Decode(answer))
	if err == nil {
		return nil
	}
	<-r.p.ended // it breaks off for no other reason
	return errors.Join(err, r.p.failure())
}
