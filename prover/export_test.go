package prover

import (
	"io"

	"github.com/zksettle/settle/state"
)

// WriteOrder writes the order to prove a batch.
func WriteOrder(w io.Writer, shape string, trace *state.Trace) error {
	blob, err := state.EncodeTrace(trace)
	if err != nil {
		return err
	}
	return writeFrame(w, frameProve, order{Shape: shape, Trace: blob})
}

// Ended reports whether the process has been seen to end.
func (c *Child) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process.hasEnded()
}
