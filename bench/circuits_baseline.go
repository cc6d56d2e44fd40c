package bench

import (
	"context"
	"math/bits"
	"strconv"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/baseline"
	"github.com/zksettle/settle/circuits/cost"
)

// plainSize foretells the size of circuits/baseline: a constant, so much for each
// transfer, and so much for each block that SHA-256 hashes.
type plainSize struct{ fixed, transfer, block int }

// blocks of SHA-256 over the plain circuit's public data: 100 bytes, 15 for each
// transfer, and 9 of padding.
func blocks(transfers int) int {
	const header, record, padding, block = 100, 15, 9, 64
	return (header + record*transfers + padding + block - 1) / block
}

// newPlainSize compiles batches of 3, 5 and 6 transfers: the last has one block more.
func newPlainSize(ctx context.Context) (plainSize, error) {
	var sizes []int
	for _, n := range []int{3, 5, 6} {
		if err := ctx.Err(); err != nil {
			return plainSize{}, err
		}
		ccs, err := baseline.Compile(n)
		if err != nil {
			return plainSize{}, err
		}
		sizes = append(sizes, ccs.GetNbConstraints())
	}
	p := plainSize{transfer: (sizes[1] - sizes[0]) / 2}
	p.block = sizes[2] - sizes[1] - p.transfer
	p.fixed = sizes[0] - 3*p.transfer - blocks(3)*p.block
	return p, nil
}

func (p plainSize) constraints(transfers int) int {
	return p.fixed + p.transfer*transfers + p.block*blocks(transfers)
}

// within is the largest number of transfers in a domain; 0 if none fits.
func (p plainSize) within(domain int) int {
	n := 0
	for p.constraints(n+1) <= domain {
		n++
	}
	return n
}

// compareBaseline compares every shape with the plain circuit of the same domain, and
// with one of as many transfers: in the domain of demo the plain circuit has no room
// for a single one.
func compareBaseline(ctx context.Context, s *record.Sample) error {
	plain, err := newPlainSize(ctx)
	if err != nil {
		return err
	}
	project := func(name, unit string, better record.Better, v float64, labels map[string]string) {
		s.Add(record.Value{
			Name: name, Labels: labels, Unit: unit, Better: better, Source: record.Projected, Value: v,
			Note: "the plain circuit's size is foretold from circuits of 3, 5 and 6 transfers",
		})
	}
	project("baseline, a further transfer", "constraints", record.Neither, float64(plain.transfer)+float64(plain.block)*15/64, nil)
	for _, shape := range circuits.Shapes() {
		if cost.PopulationOf(shape).Accounts == 0 {
			continue // for tests
		}
		model, err := cost.NewModel(shape.WindowBits)
		if err != nil {
			return err
		}
		constraints := model.Constraints(shape.Capacity)
		domain := 1 << bits.Len(uint(constraints-1))
		ours := float64(constraints) / float64(shape.Transfers)
		same := float64(plain.constraints(shape.Transfers)) / float64(shape.Transfers)
		project("baseline over settle", "ratio", record.Higher, same/ours, map[string]string{"shape": shape.Name, "at": "equal transfers"})
		n := plain.within(domain)
		at := map[string]string{"domain": strconv.Itoa(domain)}
		project("baseline transfers", "transfers", record.Neither, float64(n), at)
		if n == 0 {
			continue
		}
		theirs := float64(plain.constraints(n)) / float64(n)
		project("baseline constraints per transfer", "constraints", record.Neither, theirs, at)
		project("baseline over settle", "ratio", record.Higher, theirs/ours, map[string]string{"shape": shape.Name, "at": "equal domain"})
		project("transfers over baseline", "ratio", record.Higher, float64(shape.Transfers)/float64(n), map[string]string{"shape": shape.Name})
	}
	return nil
}
