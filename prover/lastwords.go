package prover

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	crashBytes = 4 << 10 // kept from the line on with which Go's runtime gives up
	tailBytes  = 2 << 10 // kept of the end, where there is no such line
)

// lastWords passes a process's standard error on and keeps what explains its end:
// the beginning of a crash, which a dump of all goroutines follows, or the last
// lines.
type lastWords struct {
	forward io.Writer

	mu      sync.Mutex
	line    []byte // begun, not ended
	crashed bool
	crash   []byte
	tail    []byte
}

// Write implements io.Writer. It never fails: a process must not end because its
// messages cannot be shown.
func (w *lastWords) Write(b []byte) (int, error) {
	_, _ = w.forward.Write(b)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = append(w.tail, b...)
	if extra := len(w.tail) - tailBytes; extra > 0 {
		w.tail = append(w.tail[:0], w.tail[extra:]...)
	}
	for part := range bytes.Lines(b) {
		w.line = append(w.line, part...)
		if !bytes.HasSuffix(part, []byte("\n")) && len(w.line) < crashBytes {
			break
		}
		w.crashed = w.crashed || beginsCrash(w.line)
		if w.crashed && len(w.crash) < crashBytes {
			w.crash = append(w.crash, w.line[:min(len(w.line), crashBytes-len(w.crash))]...)
		}
		w.line = w.line[:0]
	}
	return len(b), nil
}

func beginsCrash(line []byte) bool {
	for _, prefix := range []string{"fatal error: ", "panic: ", "runtime: ", "runtime/cgo: ", "SIG"} {
		if bytes.HasPrefix(line, []byte(prefix)) {
			return true
		}
	}
	return false
}

// String returns what was kept.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.crash
	if len(kept) == 0 {
		kept = w.tail
	}
	words := strings.ToValidUTF8(strings.ReplaceAll(string(bytes.TrimSpace(kept)), "\x00", ""), "�")
	if words == "" {
		return "it said nothing"
	}
	return words
}
