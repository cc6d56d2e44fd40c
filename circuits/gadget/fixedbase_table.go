package gadget

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
)

// OffsetDST is the published seed of the offsets: the domain separation tag of
// RFC 9380's hash to Grumpkin. The message is the window's number, 4 bytes
// big-endian.
const OffsetDST = "SETTLE-V01-CS01-with-GRUMPKIN_XMD:SHA-256_SVDW_RO_"

// scalarBits is the width of the scalars that the windows cover: q < 2^254.
const scalarBits = 254

// MaxWindowBits bounds the size of a table.
const MaxWindowBits = 12

// ErrWindowBits reports a window width outside [2, MaxWindowBits].
var ErrWindowBits = errors.New("window width outside the supported range")

// windowTable holds the constant rows of s·G: row v of window i is
// v·2^shift(i)·G + O_i. O_i is a hash-to-curve point, except that the last is
// minus the sum of the others, so that the offsets cancel in a full sum.
type windowTable struct {
	widths []int // bits of each window, low window first
	rows   [][]grumpkin.G1Affine
	first  []int                // index of each window's row 0 among all rows
	byX    []map[fr.Element]int // x to value, for counting
	total  int
}

// WindowWidths spreads the 254 bits over as few windows of at most bits as
// possible, as evenly as possible. A window of w bits has 2^w rows.
func WindowWidths(bits int) []int {
	n := (scalarBits + bits - 1) / bits
	widths := make([]int, n)
	for i := range widths {
		widths[i] = scalarBits / n
		if i < scalarBits%n {
			widths[i]++
		}
	}
	return widths
}

// tables computes each table at first use; they are constants of the width.
var tables = func() (out [MaxWindowBits + 1]func() (*windowTable, error)) {
	for bits := range out {
		out[bits] = sync.OnceValues(func() (*windowTable, error) { return newWindowTable(bits) })
	}
	return out
}()

func tableOf(bits int) (*windowTable, error) {
	if bits < 2 || bits > MaxWindowBits {
		return nil, fmt.Errorf("%w: %d, expected 2 to %d", ErrWindowBits, bits, MaxWindowBits)
	}
	return tables[bits]()
}

// offset is the hash-to-curve point of a window.
func offset(window int) (grumpkin.G1Affine, error) {
	p, err := grumpkin.HashToG1(binary.BigEndian.AppendUint32(nil, uint32(window)), []byte(OffsetDST))
	if err != nil {
		return p, fmt.Errorf("offset of window %d: %w", window, err)
	}
	return p, nil
}

func newWindowTable(bits int) (*windowTable, error) {
	t := &windowTable{widths: WindowWidths(bits)}
	step, _ := grumpkin.Generators() // 2^shift·G
	var sum grumpkin.G1Jac           // of the offsets so far, from infinity
	for i, width := range t.widths {
		start, err := offset(i)
		if err != nil {
			return nil, err
		}
		var row grumpkin.G1Jac
		if row.FromAffine(&start); i == len(t.widths)-1 {
			row.Neg(&sum)
		} else if i == 0 {
			sum = row
		} else {
			sum.AddAssign(&row)
		}
		points := make([]grumpkin.G1Jac, 1<<width)
		for v := range points {
			points[v] = row
			row.AddAssign(&step)
		}
		for range width {
			step.DoubleAssign()
		}
		t.append(grumpkin.BatchJacobianToAffineG1(points))
	}
	return t, nil
}

func (t *windowTable) append(rows []grumpkin.G1Affine) {
	byX := make(map[fr.Element]int, len(rows))
	for v, p := range rows {
		byX[fr.Element(p.X)] = v
	}
	t.rows, t.byX, t.first = append(t.rows, rows), append(t.byX, byX), append(t.first, t.total)
	t.total += len(rows)
}

// values splits a scalar below 2^254 into its window values.
func (t *windowTable) values(s *big.Int) []int {
	values, shift := make([]int, len(t.widths)), 0
	for i, width := range t.widths {
		for b := range width {
			values[i] |= int(s.Bit(shift+b)) << b
		}
		shift += width
	}
	return values
}
