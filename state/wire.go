package state

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
)

// wire writes values to buf, or reads them from it: one description of a layout
// serves both directions, so that they cannot differ. All numbers are
// big-endian. After the first error it does nothing.
type wire struct {
	buf     []byte
	reading bool
	version uint16
	err     error
}

func (w *wire) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s", ErrTraceMalformed, fmt.Sprintf(format, args...))
	}
}

// bytes copies b to the end of buf, or the start of buf to b.
func (w *wire) bytes(b []byte) {
	switch {
	case w.err != nil:
	case !w.reading:
		w.buf = append(w.buf, b...)
	case len(w.buf) < len(b):
		w.fail("%d bytes are left where %d are expected", len(w.buf), len(b))
	default:
		w.buf = w.buf[copy(b, w.buf):]
	}
}

// number is a value below 2^bits in the fewest bytes that hold bits.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int](w *wire, v *T, bits uint) {
	var b [8]byte
	field := b[8-(bits+7)/8:]
	if w.reading {
		w.bytes(field)
	} else {
		binary.BigEndian.PutUint64(b[:], uint64(*v))
	}
	switch x := binary.BigEndian.Uint64(b[:]); {
	case x>>bits != 0:
		w.fail("%d does not fit %d bits", x, bits)
	case !w.reading:
		w.bytes(field)
	case w.err == nil:
		*v = T(x)
	}
}

func (w *wire) element(e *fr.Element) {
	b := e.Bytes()
	w.bytes(b[:])
	if w.reading && w.err == nil {
		if err := e.SetBytesCanonical(b[:]); err != nil {
			w.fail("element 0x%x is not below the field modulus", b)
		}
	}
}

func (w *wire) amount(a *settle.Amount) {
	number(w, &a.Hi, 64)
	number(w, &a.Lo, 64)
}

// list is a 32-bit count and then that many records of one size each. A count
// that exceeds what the remaining bytes can hold is refused before anything is
// allocated for it.
func list[T any](w *wire, items *[]T, item func(*wire, *T)) {
	count := uint64(len(*items))
	number(w, &count, 32)
	if w.err != nil {
		return
	}
	if w.reading {
		if size := recordSize(w.version, item); count > uint64(len(w.buf)/size) {
			w.fail("%d bytes are left for %d records of %d bytes", len(w.buf), count, size)
			return
		}
		*items = nil
		if count > 0 {
			*items = make([]T, count)
		}
	}
	for i := range *items {
		item(w, &(*items)[i])
	}
}

// recordSize is the number of bytes of a record, which its type fixes.
func recordSize[T any](version uint16, item func(*wire, *T)) int {
	scratch := wire{version: version}
	item(&scratch, new(T))
	return len(scratch.buf)
}
