package circuits_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/std/algebra/emulated/sw_bn254"
	recursion "github.com/consensys/gnark/std/recursion/groth16"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
	"github.com/zksettle/settle/internal/toycircuit"
)

// aggregateSlots are the slots of the rows of the aggregate circuit.
func aggregateSlots() []int { return []int{1, 2, 5} }

// plainRecursion is gnark's recursive verifier, once for each proof, as its
// documentation shows it: what the aggregate circuit is compared with.
type plainRecursion struct {
	Proofs []recursion.Proof[sw_bn254.G1Affine, sw_bn254.G2Affine]
	Inputs []recursion.Witness[sw_bn254.ScalarField]
	key    recursion.VerifyingKey[sw_bn254.G1Affine, sw_bn254.G2Affine, sw_bn254.GTEl]
}

func (c *plainRecursion) Define(api frontend.API) error {
	v, err := recursion.NewVerifier[sw_bn254.ScalarField, sw_bn254.G1Affine, sw_bn254.G2Affine, sw_bn254.GTEl](api)
	if err != nil {
		return err
	}
	for i := range c.Proofs {
		if err := v.AssertProof(c.key, c.Proofs[i], c.Inputs[i], recursion.WithSubgroupCheck()); err != nil {
			return err
		}
	}
	return nil
}

func compilePlainRecursion(t *testing.T, proofs int) constraint.ConstraintSystem {
	t.Helper()
	inner, err := toycircuit.Setup()
	require.NoError(t, err)
	key, err := recursion.ValueOfVerifyingKeyFixed[sw_bn254.G1Affine, sw_bn254.G2Affine, sw_bn254.GTEl](inner.VerifyingKey)
	require.NoError(t, err)
	c := &plainRecursion{key: key}
	for range proofs {
		c.Proofs = append(c.Proofs, recursion.PlaceholderProof[sw_bn254.G1Affine, sw_bn254.G2Affine](inner.System))
		c.Inputs = append(c.Inputs, recursion.PlaceholderWitness[sw_bn254.ScalarField](inner.System))
	}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	require.NoError(t, err)
	return ccs
}

// aggregateRows compiles the aggregate circuit and, beside it, gnark's recursion.
func aggregateRows(t *testing.T) (constraints, fingerprints [][]string) {
	t.Helper()
	for _, slots := range aggregateSlots() {
		ccs, err := circuits.CompileAggregateTemplate(slots)
		require.NoError(t, err)
		constraints = append(constraints, cost.AggregateStatsOf(slots, ccs).Row())
		fingerprint, err := circuits.FingerprintOf(ccs)
		require.NoError(t, err)
		fingerprints = append(fingerprints, []string{settle.CircuitAggregate, strconv.Itoa(slots), fingerprint.String()})
	}
	for _, proofs := range []int{1, 2} {
		n := strconv.Itoa(compilePlainRecursion(t, proofs).GetNbConstraints())
		constraints = append(constraints, []string{"gnark recursion", strconv.Itoa(proofs), "", "", "", n, "", "", "", "", "", "", "", ""})
	}
	return constraints, fingerprints
}

// TestAggregateLimits states the bounds that the design sets for the rows of the
// aggregate circuit.
func TestAggregateLimits(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "constraints.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	count := func(circuit, shape string) int {
		for _, row := range rows {
			if row[0] == circuit && row[1] == shape {
				n, err := strconv.Atoi(row[5])
				require.NoError(t, err)
				return n
			}
		}
		t.Fatalf("no row %s,%s", circuit, shape)
		return 0
	}
	one, two, five := count(settle.CircuitAggregate, "1"), count(settle.CircuitAggregate, "2"), count(settle.CircuitAggregate, "5")
	require.LessOrEqual(t, two-one, 550_000, "each further proof")
	require.LessOrEqual(t, (five-two)/3, 550_000, "each further proof")
	require.LessOrEqual(t, 2*one-two, 1_500_000, "fixed")
	require.LessOrEqual(t, five, 1<<22)
	plain := count("gnark recursion", "2") - count("gnark recursion", "1")
	require.Greater(t, plain, 3*(two-one), "gnark's recursion, for each further proof")
}
