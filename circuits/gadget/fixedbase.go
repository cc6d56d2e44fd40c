package gadget

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle/circuits/bus"
)

// fixedBase multiplies Grumpkin's generator by witness scalars: the prover gives
// one table row for each window, and the bus checks that it is a row of that
// window. The window's number is part of the tuple, so a row of another window
// never meets it, and the window's value, which nothing else needs, is not a wire.
type fixedBase struct {
	curve
	bus     *bus.Bus
	bits    int
	table   *windowTable
	queries []frontend.Variable // x of every row taken, window by window, scalar by scalar
}

func newFixedBase(api frontend.API, b *bus.Bus, windowBits int) (*fixedBase, error) {
	table, err := tableOf(windowBits)
	if err != nil {
		return nil, err
	}
	return &fixedBase{curve: curve{api}, bus: b, bits: windowBits, table: table}, nil
}

// lookup constrains each point to be a row of its window.
func (f *fixedBase) lookup(windows []Point) error {
	if len(windows) != len(f.table.widths) {
		return fmt.Errorf("scalar of %d windows, expected %d", len(windows), len(f.table.widths))
	}
	for i, p := range windows {
		f.bus.FixedBase.Lookup(bus.One(), bus.TableRow{Window: bus.Const(int64(i)), X: f.bus.Free(p.X).Expr(), Y: f.bus.Free(p.Y).Expr()})
		f.queries = append(f.queries, p.X)
	}
	return nil
}

// sum adds the windows' rows. As the offsets cancel, it is s·G for the s that
// the rows encode; s = 0 modulo q has no solution.
func (f *fixedBase) sum(windows []Point) Point {
	acc := windows[0]
	for _, p := range windows[1:] {
		acc = f.add(acc, p)
	}
	return acc
}

// close sends the table, each row as often as it was taken.
func (f *fixedBase) close() error {
	if len(f.queries) == 0 {
		return nil
	}
	counts, err := f.api.Compiler().NewHint(countRowsHint, f.table.total, append([]frontend.Variable{f.bits}, f.queries...)...)
	if err != nil {
		return fmt.Errorf("count table rows: %w", err)
	}
	for i, rows := range f.table.rows {
		for v := range rows {
			x, y := bus.ConstElement(fr.Element(rows[v].X)), bus.ConstElement(fr.Element(rows[v].Y))
			f.bus.FixedBase.List(bus.Times(f.bus.Free(counts[f.table.first[i]+v])), bus.TableRow{Window: bus.Const(int64(i)), X: x, Y: y})
		}
	}
	return nil
}

// countRowsHint counts how often each row of a table is taken. Inputs: the
// window width, then x of the rows taken, window by window, scalar by scalar.
// Points that are no row are not counted; the bus refuses them.
func countRowsHint(_ *big.Int, inputs, outputs []*big.Int) error {
	table, err := tableOf(int(inputs[0].Int64()))
	if err != nil {
		return err
	}
	if len(outputs) != table.total {
		return fmt.Errorf("count table rows: %d outputs, expected %d", len(outputs), table.total)
	}
	counts := make([]int64, table.total)
	for k, input := range inputs[1:] {
		var x fr.Element
		x.SetBigInt(input)
		window := k % len(table.widths)
		if v, ok := table.byX[window][x]; ok {
			counts[table.first[window]+v]++
		}
	}
	for i, n := range counts {
		outputs[i].SetInt64(n)
	}
	return nil
}
