package transition

import (
	"fmt"
	"reflect"
	"regexp"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/frontend/schema"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/state"
)

// halfFull is a batch of tiny with a transfer in slot 0, a padding slot 1, and
// three of five accounts in use.
func halfFull(t testing.TB) *Circuit {
	w := newWorld(t, 10, 1, 4)
	b := w.state.Begin()
	require.NoError(t, b.Step(w.transfer(b, 3, 6, 10, 1, func(tx *state.Transaction) { tx.ValidUntil = b.Number() + 5 })))
	trace, err := b.Seal()
	require.NoError(t, err)
	return mustAssign(t, mustShape(t, "tiny"), trace)
}

// secretNames lists the secret wires in the order of the witness.
func secretNames(t testing.TB) []string {
	var names []string
	variable := reflect.TypeOf((*frontend.Variable)(nil)).Elem()
	_, err := schema.Walk(ecc.BN254.ScalarField(), New(mustShape(t, "tiny")), variable, func(leaf schema.LeafInfo, _ reflect.Value) error {
		if leaf.Visibility == schema.Secret {
			names = append(names, leaf.FullName())
		}
		return nil
	})
	require.NoError(t, err)
	return names
}

// free lists the wires whose value a prover may change at will, with the reason
// why that claims nothing. Slots 3 and 4 of accounts, 1 of transfers and all
// nodes behind those in use are padding.
var free = map[string]string{
	`^Accounts_[34]_(Index|Old_.*|New_.*|LastTime)$`: "an unused slot has flag 0: its tuples are not sent",
	`^Nodes_%s_(Level|Position|Old_.|New_.)$`:        "an unused slot has flag 0, and receives nothing",
	`^Transfers_1_(Sender|Receiver|FeeTaker)_.*$`:    "an unused slot makes no access",
	`^Opens_0_(Owner|L1)$`:                           "an unused slot has flag 0: it receives nothing and publishes 0",
	`^Exits_0_(L1|Token|Amount)$`:                    "an unused slot has flag 0: it receives nothing and publishes 0",
}

// TestEveryWitnessValueMatters changes each secret value by itself: the solver
// must refuse, unless the wire is listed in free.
func TestEveryWitnessValueMatters(t *testing.T) {
	shape := mustShape(t, "tiny")
	ccs, assignment, names := system(t, shape), halfFull(t), secretNames(t)
	solver.RegisterHint(gadget.Hints()...)
	full, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(t, err)
	require.NoError(t, solveWitness(ccs, full))

	used := 0
	for used < len(assignment.Nodes) && assignment.Nodes[used].Active == 1 {
		used++
	}
	unusedNodes := "("
	for i := used; i < len(assignment.Nodes); i++ {
		unusedNodes += fmt.Sprintf("%d|", i)
	}
	unusedNodes = unusedNodes[:len(unusedNodes)-1] + ")"
	var allowed []*regexp.Regexp
	for pattern := range free {
		if regexp.MustCompile("%s").MatchString(pattern) {
			pattern = fmt.Sprintf(pattern, unusedNodes)
		}
		allowed = append(allowed, regexp.MustCompile(pattern))
	}

	vector := full.Vector().(fr.Vector)
	require.Len(t, vector, gadget.PublicInputs+len(names))
	one := fr.One()
	stride := 1
	if testing.Short() {
		stride = 17
	}
	for i := 0; i < len(names); i += stride {
		mutated := make(fr.Vector, len(vector))
		copy(mutated, vector)
		mutated[gadget.PublicInputs+i].Add(&mutated[gadget.PublicInputs+i], &one)
		err := solveWitness(ccs, fromVector(t, mutated))
		isFree := false
		for _, pattern := range allowed {
			isFree = isFree || pattern.MatchString(names[i])
		}
		if !isFree {
			require.Error(t, err, "%s can be changed", names[i])
		}
	}
}

func fromVector(t testing.TB, v fr.Vector) witness.Witness {
	w, err := witness.New(ecc.BN254.ScalarField())
	require.NoError(t, err)
	values := make(chan any, len(v))
	for i := range v {
		values <- v[i]
	}
	close(values)
	require.NoError(t, w.Fill(gadget.PublicInputs, len(v)-gadget.PublicInputs, values))
	return w
}

func solveWitness(ccs constraint.ConstraintSystem, w witness.Witness, opts ...solver.Option) error {
	opts = append([]solver.Option{solver.OverrideHint(solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder), hashCommitment)}, opts...)
	_, err := ccs.Solve(w, opts...)
	return err
}

// uncommitted lists the secret wires that no field or flag of the bus is
// computed from, with the reason.
var uncommitted = map[string]string{
	`^Header_Number$`:            "only in D and the expiry check",
	`^Header_Domain$`:            "only in D and the signed message",
	`^Transfers_\d+_ValidUntil$`: "only in the signed message and the expiry check",
	`^Transfers_\d+_Signature_`:  "the signature's equation holds without the bus; the table's rows and the key are committed",
}

// TestCommittedWires: every secret wire is committed before the challenge, or is
// listed as one that the bus does not depend on.
func TestCommittedWires(t *testing.T) {
	ccs, names := system(t, mustShape(t, "tiny")), secretNames(t)
	commitments := ccs.GetCommitments().(constraint.Groth16Commitments)
	require.Len(t, commitments, 1)
	require.Empty(t, commitments[0].PublicAndCommitmentCommitted)
	committed := map[int]bool{}
	for _, wire := range commitments[0].PrivateCommitted {
		committed[wire] = true
	}
	firstSecret := ccs.GetNbPublicVariables()
	for i, name := range names {
		if committed[firstSecret+i] {
			continue
		}
		reason := ""
		for pattern, why := range uncommitted {
			if regexp.MustCompile(pattern).MatchString(name) {
				reason = why
			}
		}
		require.NotEmpty(t, reason, "%s is not committed", name)
	}
	require.True(t, committed[firstSecret+indexOf(t, names, "Transfers_0_Signature_PublicKey")], "the owner is a field of memory")
}

func indexOf(t testing.TB, names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	require.Fail(t, "no wire "+name)
	return -1
}
