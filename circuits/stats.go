package circuits

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/consensys/gnark/constraint"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/transition"
)

// Stats describes a compiled circuit, one row of testdata/constraints.csv.
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
}

// StatsColumns are the columns of testdata/constraints.csv. A row per gadget
// has only circuit "gadget", its name as shape, and constraints.
func StatsColumns() []string {
	return []string{
		"circuit", "shape", "transfers", "accounts", "nodes", "constraints", "domain", "fill",
		"constraints_per_transfer", "public_inputs", "commitments", "committed_wires",
	}
}

// Row returns the values of StatsColumns.
func (s Stats) Row() []string {
	n := strconv.Itoa
	return []string{
		s.Circuit, s.Shape, n(s.Transfers), n(s.Accounts), n(s.Nodes), n(s.Constraints), n(s.Domain), fmt.Sprintf("%.4f", s.Fill),
		n(s.ConstraintsPerTransfer), n(s.PublicInputs), n(s.Commitments), n(s.CommittedWires),
	}
}

// StatsOf describes the compiled system of a shape.
func StatsOf(shape Shape, ccs constraint.ConstraintSystem) Stats {
	constraints := ccs.GetNbConstraints()
	domain := 1 << bits.Len(uint(constraints-1))
	s := Stats{
		Circuit: settle.CircuitTransition, Shape: shape.Name,
		Transfers: shape.Transfers, Accounts: shape.Capacity.Accounts, Nodes: shape.Nodes,
		Constraints: constraints, Domain: domain, Fill: float64(constraints) / float64(domain),
		ConstraintsPerTransfer: (constraints + shape.Transfers - 1) / shape.Transfers,
		PublicInputs:           ccs.GetNbPublicVariables() - 1,
	}
	if commitments, ok := ccs.GetCommitments().(constraint.Groth16Commitments); ok {
		s.Commitments = len(commitments)
		for _, c := range commitments {
			s.CommittedWires += len(c.PrivateCommitted)
		}
	}
	return s
}

// GadgetCosts measures what one more slot of each chip costs at a shape.
func GadgetCosts(shape Shape) ([]transition.Cost, error) { return transition.Costs(shape) }
