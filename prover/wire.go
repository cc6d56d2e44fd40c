package prover

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/zksettle/settle"
)

// What a proving child and the process that supervises it say to each other over
// the child's standard input and output: frames of
//
//	'S' 'P' | version 1 byte | kind 1 byte | length 4 bytes big-endian | JSON
//
// The child says ready once. From then on each load, prove or fold is answered by one
// done. Both are always the same binary; the version finds out when they are not.
const (
	wireVersion = 2
	headerBytes = 8
	// maxFrame is far above the largest batch: more is damage.
	maxFrame = 256 << 20
)

type frameKind uint8

const (
	frameReady frameKind = iota + 1 // child: ready
	frameLoad                       // parent: order without a trace
	frameProve                      // parent: order
	frameDone                       // child: done
	frameFold                       // parent: order with proofs
)

type frame struct {
	kind    frameKind
	payload []byte
}

// ready is the child's first word.
type ready struct {
	Circuit string `json:"circuit"`
}

// order asks for the keys of a shape to be loaded, or for a proof.
type order struct {
	Shape  string                 `json:"shape"`
	Trace  []byte                 `json:"trace,omitempty"`  // state.EncodeTrace
	Proofs []settle.ProofEnvelope `json:"proofs,omitempty"` // to be folded
}

// done answers an order.
type done struct {
	Result  *Result  `json:"result,omitempty"` // of a proof
	Failure *failure `json:"failure,omitempty"`
}

// failure is an *Error on its way between processes. What it wraps stays behind.
type failure struct {
	Class  Class  `json:"class"`
	Step   string `json:"step"`
	Detail string `json:"detail"`
}

var errWire = errors.New("the processes do not understand each other")

func writeFrame(w io.Writer, kind frameKind, message any) error {
	payload, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(payload) > maxFrame {
		return fmt.Errorf("%w: a message of %d bytes, at most %d are sent", errWire, len(payload), maxFrame)
	}
	buffer := make([]byte, headerBytes, headerBytes+len(payload))
	buffer[0], buffer[1], buffer[2], buffer[3] = 'S', 'P', wireVersion, byte(kind)
	binary.BigEndian.PutUint32(buffer[4:], uint32(len(payload)))
	if _, err := w.Write(append(buffer, payload...)); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// readFrame returns io.EOF at the end of r between frames.
func readFrame(r io.Reader) (frame, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return frame{}, io.EOF
		}
		return frame{}, fmt.Errorf("read message: %w", err)
	}
	length := binary.BigEndian.Uint32(header[4:])
	switch {
	case header[0] != 'S' || header[1] != 'P':
		return frame{}, fmt.Errorf("%w: no message begins with %q", errWire, header[:2])
	case header[2] != wireVersion:
		return frame{}, fmt.Errorf("%w: version %d of messages, expected %d", errWire, header[2], wireVersion)
	case length > maxFrame:
		return frame{}, fmt.Errorf("%w: a message of %d bytes, at most %d are read", errWire, length, maxFrame)
	}
	// The buffer grows with what comes, not by what the header claims.
	var payload bytes.Buffer
	if _, err := io.CopyN(&payload, r, int64(length)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, fmt.Errorf("read message: %w", err)
	}
	return frame{kind: frameKind(header[3]), payload: payload.Bytes()}, nil
}

func (f frame) decode(kind frameKind, message any) error {
	if f.kind != kind {
		return fmt.Errorf("%w: a message of kind %d, expected %d", errWire, f.kind, kind)
	}
	if err := json.Unmarshal(f.payload, message); err != nil {
		return fmt.Errorf("%w: %w", errWire, err)
	}
	return nil
}
