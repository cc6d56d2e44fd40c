package provingkeys

import (
	"bufio"
	"crypto/sha256"
	"hash"
	"io"
)

const bufferBytes = 1 << 20

// hashingWriter hashes and counts what passes through its buffer.
type hashingWriter struct {
	buffer *bufio.Writer
	hash   hash.Hash
	bytes  int64
}

func newHashingWriter(w io.Writer) *hashingWriter {
	return &hashingWriter{buffer: bufio.NewWriterSize(w, bufferBytes), hash: sha256.New()}
}

func (w *hashingWriter) Write(p []byte) (int, error) {
	n, err := w.buffer.Write(p)
	w.hash.Write(p[:n])
	w.bytes += int64(n)
	return n, err
}
