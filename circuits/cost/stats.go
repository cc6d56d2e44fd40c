package cost

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/transition"
)

// Stats describes a compiled circuit, one row of circuits/testdata/constraints.csv.
type Stats struct {
	Circuit                string  `json:"circuit"`
	Shape                  string  `json:"shape"`
	Transfers              int     `json:"transfers"`
	Accounts               int     `json:"accounts"`
	Nodes                  int     `json:"nodes"`
	Constraints            int     `json:"constraints"`
	Domain                 int     `json:"domain"` // size of the FFT domain: the next power of two
	Fill                   float64 `json:"fill"`   // constraints/domain; every slot can be used
	ConstraintsPerTransfer int     `json:"constraints_per_transfer"`
	PublicInputs           int     `json:"public_inputs"` // without the constant wire
	Commitments            int     `json:"commitments"`
	CommittedWires         int     `json:"committed_wires"`
	WiresA                 int     `json:"wires_a"` // in left factors: points of G1 that a proof multiplies
	WiresB                 int     `json:"wires_b"` // in right factors: points of G1 and of G2
}

// StatsColumns are the columns of circuits/testdata/constraints.csv. A row per gadget
// has only circuit "gadget", its name as shape, and constraints.
func StatsColumns() []string {
	return []string{
		"circuit", "shape", "transfers", "accounts", "nodes", "constraints", "domain", "fill",
		"constraints_per_transfer", "public_inputs", "commitments", "committed_wires", "wires_a", "wires_b",
	}
}

// Row returns the values of StatsColumns.
func (s Stats) Row() []string {
	n := strconv.Itoa
	ofTransition := func(v int) string {
		if s.Circuit != settle.CircuitTransition {
			return ""
		}
		return n(v)
	}
	return []string{
		s.Circuit, s.Shape, ofTransition(s.Transfers), ofTransition(s.Accounts), ofTransition(s.Nodes),
		n(s.Constraints), n(s.Domain), fmt.Sprintf("%.4f", s.Fill),
		ofTransition(s.ConstraintsPerTransfer), n(s.PublicInputs), n(s.Commitments), n(s.CommittedWires), n(s.WiresA), n(s.WiresB),
	}
}

// StatsOf describes the compiled system of a shape.
func StatsOf(shape transition.Shape, ccs constraint.ConstraintSystem) Stats {
	s := systemStats(settle.CircuitTransition, shape.Name, ccs)
	s.Transfers, s.Accounts, s.Nodes = shape.Transfers, shape.Capacity.Accounts, shape.Nodes
	s.ConstraintsPerTransfer = (s.Constraints + shape.Transfers - 1) / shape.Transfers
	return s
}

// AggregateStatsOf describes a compiled aggregate system; its shape is the number of
// its slots.
func AggregateStatsOf(slots int, ccs constraint.ConstraintSystem) Stats {
	return systemStats(settle.CircuitAggregate, strconv.Itoa(slots), ccs)
}

func systemStats(circuit, shape string, ccs constraint.ConstraintSystem) Stats {
	constraints := ccs.GetNbConstraints()
	domain := 1 << bits.Len(uint(constraints-1))
	s := Stats{
		Circuit: circuit, Shape: shape,
		Constraints: constraints, Domain: domain, Fill: float64(constraints) / float64(domain),
		PublicInputs: ccs.GetNbPublicVariables() - 1,
	}
	wires := WiresOf(ccs)
	s.WiresA, s.WiresB = wires.A, wires.B
	if commitments, ok := ccs.GetCommitments().(constraint.Groth16Commitments); ok {
		s.Commitments = len(commitments)
		for _, c := range commitments {
			s.CommittedWires += len(c.PrivateCommitted)
		}
	}
	return s
}

// Parts says what a shape's circuit consists of, down to the last constraint, without
// compiling it (Model).
func Parts(shape transition.Shape) ([]Part, error) {
	model, err := NewModel(shape.WindowBits)
	if err != nil {
		return nil, err
	}
	return model.Parts(shape.Capacity), nil
}
