package gadget

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/bus"
)

var update = flag.Bool("update", false, "rewrite testdata")

const tableFile = "testdata/fixedbase.json"

// tableRecord is what the published seed determines.
type tableRecord struct {
	DST     string            `json:"dst"`
	Offsets []string          `json:"offsets"` // x ‖ y of the hash-to-curve points
	Tables  map[string]string `json:"tables"`  // SHA-256 of all rows, x ‖ y, by window width
}

func TestTablesAreThePublished(t *testing.T) {
	made := tableRecord{DST: OffsetDST, Tables: map[string]string{}}
	for i := range WindowWidths(3) {
		o, err := offset(i)
		require.NoError(t, err)
		b := o.RawBytes()
		made.Offsets = append(made.Offsets, hex.EncodeToString(b[:]))
	}
	for bits := 2; bits <= 8; bits++ {
		table, err := tableOf(bits)
		require.NoError(t, err)
		h := sha256.New()
		for _, rows := range table.rows {
			for _, p := range rows {
				b := p.RawBytes()
				h.Write(b[:])
			}
		}
		made.Tables[fmt.Sprint(bits)] = hex.EncodeToString(h.Sum(nil))
	}
	if *update {
		text, err := json.MarshalIndent(made, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(tableFile, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(tableFile)
	require.NoError(t, err)
	var stored tableRecord
	require.NoError(t, json.Unmarshal(text, &stored))
	require.Equal(t, stored, made, "a changed table changes every key; regenerate with -update if that is meant")

	for i, text := range stored.Offsets {
		x, y := hashToCurveNaive(binary.BigEndian.AppendUint32(nil, uint32(i)), []byte(OffsetDST))
		want := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
		require.Equal(t, hex.EncodeToString(want), text, "offset %d is not the hash of its number", i)
	}
}

// Row v of window i is v·2^shift·G + O_i, the widths cover 254 bits, and the
// offsets cancel.
func TestTableRows(t *testing.T) {
	for bits := 2; bits <= 6; bits++ {
		table, err := tableOf(bits)
		require.NoError(t, err)
		shift, seen := uint(0), map[grumpkin.G1Affine]bool{}
		var sum grumpkin.G1Affine
		for i, rows := range table.rows {
			require.Len(t, rows, 1<<table.widths[i])
			require.LessOrEqual(t, table.widths[i], bits)
			if i < len(table.rows)-1 {
				o, err := offset(i)
				require.NoError(t, err)
				require.Equal(t, o, rows[0])
			}
			sum.Add(&sum, &rows[0])
			for v, p := range rows {
				var want grumpkin.G1Affine
				want.ScalarMultiplicationBase(new(big.Int).Lsh(big.NewInt(int64(v)), shift))
				require.Equal(t, *want.Add(&want, &rows[0]), p)
				require.False(t, seen[p], "one row in two places")
				seen[p] = true
				require.Equal(t, v, table.byX[i][fr.Element(p.X)])
			}
			shift += uint(table.widths[i])
		}
		require.Equal(t, uint(scalarBits), shift)
		require.True(t, sum.IsInfinity(), "offsets do not cancel")
		require.LessOrEqual(t, scalar.Modulus().BitLen(), scalarBits)
	}
}

// baseCircuit looks up windows and, with Add set, sums them. weaken drops the
// window's number from the tuples.
type baseCircuit struct {
	Windows []Point

	add, unnumbered bool
}

func newBaseCircuit(add bool) *baseCircuit {
	return &baseCircuit{Windows: NewSignatureWires(testWindow).Windows, add: add}
}

func (c *baseCircuit) Define(api frontend.API) error {
	b := bus.New(api)
	f, err := newFixedBase(api, b, testWindow)
	if err != nil {
		return err
	}
	if c.unnumbered {
		if err := c.lookupUnnumbered(api, b, f); err != nil {
			return err
		}
		return b.Close()
	}
	if err := f.lookup(c.Windows); err != nil {
		return err
	}
	if c.add {
		f.sum(c.Windows)
	}
	if err := f.close(); err != nil {
		return err
	}
	return b.Close()
}

// lookupUnnumbered is the unsound variant: any row will do for any window. The
// multiplicities are those of the attack below.
func (c *baseCircuit) lookupUnnumbered(api frontend.API, b *bus.Bus, f *fixedBase) error {
	for _, p := range c.Windows {
		b.FixedBase.Lookup(bus.One(), bus.TableRow{Window: bus.Const(0), X: b.Free(p.X).Expr(), Y: b.Free(p.Y).Expr()})
	}
	times, err := api.Compiler().NewHint(sameHint, 1, len(c.Windows))
	if err != nil {
		return err
	}
	row := f.table.rows[0][1]
	b.FixedBase.List(bus.Times(b.Free(times[0])), bus.TableRow{
		Window: bus.Const(0), X: bus.ConstElement(fr.Element(row.X)), Y: bus.ConstElement(fr.Element(row.Y)),
	})
	return nil
}

// sameHint gives its input.
func sameHint(_ *big.Int, inputs, outputs []*big.Int) error {
	outputs[0].Set(inputs[0])
	return nil
}

// The same row in two windows is P + P: a slope of the prover's choice.
func TestRowOfAnotherWindowIsRefused(t *testing.T) {
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	same := newBaseCircuit(false)
	for i := range same.Windows {
		same.Windows[i] = table.row(0, 1)
	}
	weak := newBaseCircuit(false)
	weak.unnumbered = true
	solver.RegisterHint(sameHint)
	require.NoError(t, solveR1CS(t, compileR1CS(t, weak), same), "the attack no longer works on the weak variant: this test shows nothing")
	ccs := compileR1CS(t, newBaseCircuit(false))
	require.Error(t, solveR1CS(t, ccs, same))

	honest := func() *baseCircuit {
		c := newBaseCircuit(false)
		c.Windows = table.assign(big.NewInt(1 << 40))
		return c
	}
	require.NoError(t, solveR1CS(t, ccs, honest()))
	for i := 1; i < len(table.widths); i++ {
		c := honest()
		c.Windows[i] = table.row(i-1, 1)
		require.Error(t, solveR1CS(t, ccs, c), "row of window %d in window %d", i-1, i)
	}
	// A value beyond the width: (v + 2^w)·2^shift·G + O_i is no row of the window.
	shift := 0
	for i, width := range table.widths {
		var beyond grumpkin.G1Affine
		beyond.ScalarMultiplicationBase(new(big.Int).Lsh(big.NewInt(1<<width+3), uint(shift)))
		beyond.Add(&beyond, &table.rows[i][0])
		c := honest()
		c.Windows[i] = pointOf(beyond)
		require.Error(t, solveR1CS(t, ccs, c), "window %d", i)
		shift += width
	}
}

// A row that counts for a hostile hint still has to be taken as often.
func TestHostileCountsAreRefused(t *testing.T) {
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	c := newBaseCircuit(false)
	c.Windows = table.assign(big.NewInt(987654321))
	ccs := compileR1CS(t, newBaseCircuit(false))
	for name, bend := range map[string]func(out []*big.Int){
		"all zero": clearAll,
		"one more": func(out []*big.Int) { out[5].Add(out[5], big.NewInt(1)) },
		"one less": func(out []*big.Int) { out[5].Sub(out[5], big.NewInt(1)).Mod(out[5], fr.Modulus()) },
		"moved": func(out []*big.Int) {
			out[0].Add(out[0], big.NewInt(1))
			out[len(out)-1].Sub(out[len(out)-1], big.NewInt(1)).Mod(out[len(out)-1], fr.Modulus())
		},
	} {
		err := solveR1CS(t, ccs, c, override{countRowsHint, func(mod *big.Int, in, out []*big.Int) error {
			if err := countRowsHint(mod, in, out); err != nil {
				return err
			}
			bend(out)
			return nil
		}})
		require.Error(t, err, name)
	}
	// A counted point that is no row: the hint cannot name a row for it.
	bad := newBaseCircuit(false)
	bad.Windows = table.assign(big.NewInt(987654321))
	x := bad.Windows[2].Y.(fr.Element)
	x.Neg(&x)
	bad.Windows[2].Y = x
	require.Error(t, solveR1CS(t, ccs, bad))
}

// The counts of the honest rows balance the table whatever stands in the windows, so
// only the tuples can refuse: each of their fields must.
func TestChangedRowIsRefusedWithHonestCounts(t *testing.T) {
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	ccs := compileR1CS(t, newBaseCircuit(false))
	rows := table.assign(big.NewInt(987654321))
	var queries []*big.Int
	for _, p := range rows {
		x := p.X.(fr.Element)
		queries = append(queries, x.BigInt(new(big.Int)))
	}
	counts := override{countRowsHint, func(mod *big.Int, in, out []*big.Int) error {
		return countRowsHint(mod, append([]*big.Int{in[0]}, queries...), out)
	}}
	plusOne := func(v frontend.Variable) frontend.Variable {
		x, one := v.(fr.Element), fr.One()
		return *x.Add(&x, &one)
	}
	for name, bend := range map[string]func(windows []Point){
		"":                        func([]Point) {},
		"two windows exchanged":   func(w []Point) { w[0], w[1] = w[1], w[0] },
		"another x":               func(w []Point) { w[1].X = plusOne(w[1].X) },
		"another y":               func(w []Point) { w[1].Y = plusOne(w[1].Y) },
		"the y of another window": func(w []Point) { w[0].Y, w[1].Y = w[1].Y, w[0].Y },
	} {
		c := newBaseCircuit(false)
		c.Windows = slices.Clone(rows)
		bend(c.Windows)
		if err := solveR1CS(t, ccs, c, counts); name == "" {
			require.NoError(t, err)
		} else {
			require.Error(t, err, name)
		}
	}
}

// s = 0 modulo q would be infinity: the last addition has no solution. All
// windows but the last never meet.
func TestZeroScalarHasNoSolution(t *testing.T) {
	table, err := tableOf(testWindow)
	require.NoError(t, err)
	ccs := compileR1CS(t, newBaseCircuit(true))
	largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), scalarBits), big.NewInt(1))
	for _, s := range []*big.Int{big.NewInt(1), new(big.Int).Sub(scalar.Modulus(), big.NewInt(1)), new(big.Int).Add(scalar.Modulus(), big.NewInt(1)), largest} {
		c := newBaseCircuit(true)
		c.Windows = table.assign(s)
		require.NoError(t, solveR1CS(t, ccs, c), s)
	}
	for _, s := range []*big.Int{new(big.Int), scalar.Modulus()} {
		c := newBaseCircuit(true)
		c.Windows = table.assign(s)
		require.Error(t, solveR1CS(t, ccs, c), s)
	}
}

func TestWrongNumberOfWindows(t *testing.T) {
	short := newBaseCircuit(false)
	short.Windows = short.Windows[1:]
	_, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, short)
	require.ErrorContains(t, err, "expected 64")
	_, err = tableOf(1)
	require.ErrorIs(t, err, ErrWindowBits)
	require.Error(t, countRowsHint(nil, []*big.Int{big.NewInt(99)}, nil))
	require.Error(t, countRowsHint(nil, []*big.Int{big.NewInt(4)}, nil))
}
