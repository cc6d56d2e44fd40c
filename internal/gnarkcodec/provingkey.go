package gnarkcodec

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	memory "github.com/consensys/gnark-crypto/utils/unsafe"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
)

// bufferBytes is what is read ahead of a decoder.
const bufferBytes = 1 << 20

// domainBytes is the FFT domain: cardinality, five elements, and whether twiddles
// are computed when it is read.
const domainBytes = 8 + 5*fr.Bytes + 1

// keyReader reads a proving key of at most as many bytes as its file has.
type keyReader struct {
	*bufio.Reader
	source *io.LimitedReader
	points *bn254.Decoder
}

func newKeyReader(r io.Reader, size int64) *keyReader {
	source := &io.LimitedReader{R: r, N: size}
	buffered := bufio.NewReaderSize(source, int(min(size, bufferBytes)))
	// Whoever vouches for the file vouches for its points, of which there are millions.
	return &keyReader{buffered, source, bn254.NewDecoder(buffered, bn254.NoSubgroupChecks())}
}

// left is the number of bytes that are still to be read.
func (r *keyReader) left() uint64 { return uint64(r.source.N) + uint64(r.Buffered()) }

// ProvingKey reads a proving key with one commitment, of size bytes in all, in gnark's
// raw encoding. It allocates in proportion to size, and returns a key whose parts have
// the lengths that they state. Points are not checked: a proof by a key of other
// points does not verify, no more. ErrEncoding.
func ProvingKey(r io.Reader, size int64) (*groth16bn254.ProvingKey, error) {
	in, key := newKeyReader(r, size), new(groth16bn254.ProvingKey)
	err := in.domain(key)
	if err == nil {
		err = in.decode(&key.G1.Alpha, &key.G1.Beta, &key.G1.Delta)
	}
	if err == nil {
		err = in.slices(g1Bytes, &key.G1.A, &key.G1.B, &key.G1.Z, &key.G1.K)
	}
	if err == nil {
		err = in.decode(&key.G2.Beta, &key.G2.Delta)
	}
	if err == nil {
		err = in.slices(g2Bytes, &key.G2.B)
	}
	if err == nil {
		err = in.wires(key)
	}
	if err == nil {
		err = in.slices(g1Bytes, &key.CommitmentKeys[0].Basis, &key.CommitmentKeys[0].BasisExpSigma)
	}
	return key, in.end(key, err)
}

// ProvingKeyDump reads what ProvingKey.WriteDump wrote on this kind of machine. All
// else as of ProvingKey.
func ProvingKeyDump(r io.Reader, size int64) (*groth16bn254.ProvingKey, error) {
	in, key := newKeyReader(r, size), new(groth16bn254.ProvingKey)
	err := memory.ReadMarker(in)
	if err == nil {
		err = in.domain(key)
	}
	if err == nil {
		err = in.decode(&key.G1.Alpha, &key.G1.Beta, &key.G1.Delta, &key.G2.Beta, &key.G2.Delta)
	}
	if err == nil {
		err = in.wires(key)
	}
	for _, points := range []*[]bn254.G1Affine{&key.G1.A, &key.G1.B, &key.G1.Z, &key.G1.K} {
		if err == nil {
			*points, err = dumped[bn254.G1Affine](in, g1Bytes)
		}
	}
	if err == nil {
		key.G2.B, err = dumped[bn254.G2Affine](in, g2Bytes)
	}
	if err == nil {
		key.CommitmentKeys[0].Basis, err = dumped[bn254.G1Affine](in, g1Bytes)
	}
	if err == nil {
		key.CommitmentKeys[0].BasisExpSigma, err = dumped[bn254.G1Affine](in, g1Bytes)
	}
	return key, in.end(key, err)
}

// domain reads the FFT domain, for whose cardinality gnark computes twiddles: the key
// has a point for all but one of its elements.
func (r *keyReader) domain(key *groth16bn254.ProvingKey) error {
	head, err := r.Peek(domainBytes)
	if err != nil {
		return err
	}
	cardinality := binary.BigEndian.Uint64(head)
	if bits.OnesCount64(cardinality) != 1 || cardinality-1 > r.left()/g1Bytes || head[domainBytes-1] > 1 {
		return fmt.Errorf("%w: FFT domain of %d in %d bytes", ErrEncoding, cardinality, r.left())
	}
	_, err = key.Domain.ReadFrom(r)
	return err
}

// decode reads values of fixed size, points in raw form.
func (r *keyReader) decode(values ...any) error {
	for _, v := range values {
		size := uint64(word)
		switch v.(type) {
		case *bn254.G1Affine:
			size = g1Bytes
		case *bn254.G2Affine:
			size = g2Bytes
		case *uint32:
			size = countBytes
		}
		if err := r.exactly(size, v); err != nil {
			return err
		}
	}
	return nil
}

// exactly decodes a value of size bytes: points that are marked as shorter have less.
func (r *keyReader) exactly(size uint64, value any) error {
	before := r.left()
	if err := r.points.Decode(value); err != nil {
		return err
	}
	if read := before - r.left(); read != size {
		return fmt.Errorf("%w: %d bytes in place of %d", ErrEncoding, read, size)
	}
	return nil
}

// slices reads slices of points.
func (r *keyReader) slices(pointBytes uint64, slices ...any) error {
	for _, s := range slices {
		head, err := r.Peek(countBytes)
		if err != nil {
			return err
		}
		n := uint64(binary.BigEndian.Uint32(head))
		if err := r.fits(n, pointBytes); err != nil {
			return err
		}
		if err := r.exactly(countBytes+n*pointBytes, s); err != nil {
			return err
		}
	}
	return nil
}

// dumped reads a slice of points as it lay in memory.
func dumped[P any](r *keyReader, pointBytes uint64) ([]P, error) {
	head, err := r.Peek(8)
	if err != nil {
		return nil, err
	}
	if err := r.fits(binary.LittleEndian.Uint64(head), pointBytes); err != nil {
		return nil, err
	}
	points, _, err := memory.ReadSlice[[]P](r)
	return points, err
}

func (r *keyReader) fits(n, size uint64) error {
	if n > r.left()/size {
		return fmt.Errorf("%w: %d records of %d bytes in %d bytes", ErrEncoding, n, size, r.left())
	}
	return nil
}

// wires reads which wires have points at infinity, and makes room for the one
// commitment key.
func (r *keyReader) wires(key *groth16bn254.ProvingKey) error {
	var n uint64
	var commitments uint32
	if err := r.decode(&n, &key.NbInfinityA, &key.NbInfinityB); err != nil {
		return err
	}
	if err := r.fits(n, 2); err != nil {
		return err
	}
	for _, infinity := range []*[]bool{&key.InfinityA, &key.InfinityB} {
		*infinity = make([]bool, n)
		for i := range *infinity {
			b, err := r.ReadByte()
			if err != nil {
				return err
			}
			if b > 1 {
				return fmt.Errorf("%w: %d in place of a truth value", ErrEncoding, b)
			}
			(*infinity)[i] = b == 1
		}
	}
	if err := r.decode(&commitments); err != nil {
		return err
	}
	if commitments != Commitments {
		return fmt.Errorf("%w: proving key with %d commitments, expected %d", ErrEncoding, commitments, Commitments)
	}
	key.CommitmentKeys = make([]pedersen.ProvingKey, Commitments)
	return nil
}

// end requires that all was read, and that the parts of the key have the lengths that
// follow from each other: gnark's prover indexes one by another.
func (r *keyReader) end(key *groth16bn254.ProvingKey, err error) error {
	if err != nil {
		return malformed("proving key", err)
	}
	finite := func(infinity []bool) (n int) {
		for _, is := range infinity {
			if !is {
				n++
			}
		}
		return n
	}
	wires, a, b, commitment := len(key.InfinityA), finite(key.InfinityA), finite(key.InfinityB), &key.CommitmentKeys[0]
	switch {
	case r.left() != 0:
		return fmt.Errorf("%w: %d bytes follow the proving key", ErrEncoding, r.left())
	case len(key.G1.A) != a || key.NbInfinityA != uint64(wires-a):
		return fmt.Errorf("%w: %d points A and %d at infinity for %d of %d wires", ErrEncoding, len(key.G1.A), key.NbInfinityA, a, wires)
	case len(key.G1.B) != b || len(key.G2.B) != b || key.NbInfinityB != uint64(wires-b):
		return fmt.Errorf("%w: %d and %d points B and %d at infinity for %d of %d wires", ErrEncoding, len(key.G1.B), len(key.G2.B), key.NbInfinityB, b, wires)
	case uint64(len(key.G1.Z)) != key.Domain.Cardinality-1:
		return fmt.Errorf("%w: %d points Z for an FFT domain of %d", ErrEncoding, len(key.G1.Z), key.Domain.Cardinality)
	case len(commitment.Basis) != len(commitment.BasisExpSigma):
		return fmt.Errorf("%w: commitment bases of %d and %d points", ErrEncoding, len(commitment.Basis), len(commitment.BasisExpSigma))
	case len(key.G1.K)+len(commitment.Basis)+Commitments+PublicInputs+1 != wires:
		return fmt.Errorf("%w: %d points K and %d of the commitment for %d wires", ErrEncoding, len(key.G1.K), len(commitment.Basis), wires)
	}
	return nil
}
