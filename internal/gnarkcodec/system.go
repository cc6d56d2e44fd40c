package gnarkcodec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Head of a constraint system, in little-endian words of 8 bytes: the length of all
// that follows the version, the version in three words; the lengths of levels,
// instructions, call data and body. What follows the body is the coefficients.
const (
	word           = 8
	systemPrefix   = 4 * word
	sectionLengths = 4 * word
)

// System reads a constraint system of size bytes in all, at the front of file. The
// lengths of its sections, and the numbers of levels and call data that make gnark
// allocate, are compared with size first. What is inside the sections is compressed,
// and gnark takes it on trust: hash the file before, against a hash from elsewhere.
// ErrEncoding.
func System(file io.ReaderAt, size int64) (*cs.R1CS, error) {
	if err := checkSystem(file, size); err != nil {
		return nil, malformed("constraint system", err)
	}
	system := new(cs.R1CS)
	n, err := system.ReadFrom(bufio.NewReaderSize(io.NewSectionReader(file, 0, size), int(min(size, bufferBytes))))
	if err != nil {
		return nil, malformed("constraint system", err)
	}
	if n != size {
		return nil, fmt.Errorf("%w: constraint system of %d bytes in %d", ErrEncoding, n, size)
	}
	return system, nil
}

func checkSystem(file io.ReaderAt, size int64) error {
	at := func(offset uint64) (uint64, error) {
		var b [word]byte
		if _, err := file.ReadAt(b[:], int64(offset)); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		return binary.LittleEndian.Uint64(b[:]), nil
	}
	if size < systemPrefix+sectionLengths+3*word { // the counts of levels, call data and coefficients
		return fmt.Errorf("%w: %d bytes", ErrEncoding, size)
	}
	rest := uint64(size) - systemPrefix
	if total, err := at(0); err != nil || total != rest {
		return errors.Join(err, fmt.Errorf("%w: %d bytes, its head says %d", ErrEncoding, rest, total))
	}
	rest -= sectionLengths
	var sections [4]uint64
	var starts [4]uint64
	start := uint64(systemPrefix + sectionLengths)
	for i := range sections {
		length, err := at(systemPrefix + word*uint64(i))
		if err != nil {
			return err
		}
		if length > rest {
			return fmt.Errorf("%w: section %d of %d bytes, %d are left", ErrEncoding, i, length, rest)
		}
		sections[i], starts[i] = length, start
		start, rest = start+length, rest-length
	}
	if rest < word {
		return fmt.Errorf("%w: no coefficients", ErrEncoding)
	}
	// Each level has at least its own length, each datum of a call at least one byte.
	for section, record := range map[int]uint64{0: word, 2: 1} {
		if sections[section] < word {
			return fmt.Errorf("%w: section %d of %d bytes", ErrEncoding, section, sections[section])
		}
		count, err := at(starts[section])
		if err != nil {
			return err
		}
		if count > (sections[section]-word)/record {
			return fmt.Errorf("%w: %d records in section %d of %d bytes", ErrEncoding, count, section, sections[section])
		}
	}
	// gnark multiplies this number by 32 before it compares.
	if count, err := at(start); err != nil || count != (rest-word)/fr.Bytes || (rest-word)%fr.Bytes != 0 {
		return errors.Join(err, fmt.Errorf("%w: %d coefficients in %d bytes", ErrEncoding, count, rest))
	}
	return nil
}
