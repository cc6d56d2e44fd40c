package transition

import (
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

	"github.com/zksettle/settle/circuits/internal/hostile"
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

// secretNames lists the secret wires of tiny in the order of the witness.
func secretNames(t testing.TB) []string { return wireNames(t, mustShape(t, "tiny")) }

func wireNames(t testing.TB, shape Shape) []string {
	var names []string
	variable := reflect.TypeOf((*frontend.Variable)(nil)).Elem()
	_, err := schema.Walk(ecc.BN254.ScalarField(), New(shape), variable, func(leaf schema.LeafInfo, _ reflect.Value) error {
		if leaf.Visibility == schema.Secret {
			names = append(names, leaf.FullName())
		}
		return nil
	})
	require.NoError(t, err)
	return names
}

// freeValues may be changed by a prover at will. Labels begin with "unused" in slots
// that the batch does not use, and with "exit" in transactions without receiver.
func freeValues() []hostile.Free {
	const unsent = "an unused slot has flag 0: it sends and receives nothing, and publishes 0"
	return []hostile.Free{
		{Values: `^unused Accounts_\d+_(Index|Old_.*|New_.*|LastTime)$`, Why: unsent},
		{Values: `^unused Nodes_\d+_(Level|Position)$`, Why: unsent + "; it touches nothing, and what is untouched stays"},
		{Values: `^unused Opens_\d+_(Owner|L1)$`, Why: unsent},
		{Values: `^unused Exits_\d+_(L1|Token|Amount)$`, Why: unsent},
		{Values: `^unused FeeAccounts_\d+_(Token|Index)$`, Why: unsent + "; its uses must be 0"},
		{Values: `^unused Transfers_\d+_(Sender|Receiver|FeeTaker)_.*$`, Why: "an unused slot makes no access; its signed fields are held by some signature"},
		{Values: `^exit Transfers_\d+_Receiver_.*$`, Why: "an exit has no receiver: the access has flag 0"},
	}
}

// labelled names the values of a batch, by what its slots are used for.
func labelled(t testing.TB, shape Shape, s specimen) hostile.Labelled {
	t.Helper()
	names := append([]string{"C", "Zeta", "V"}, wireNames(t, shape)...)
	vector := s.full.Vector().(fr.Vector)
	require.Len(t, vector, len(names))
	one := fr.One()
	is := map[string]bool{}
	for i, name := range names {
		is[name] = vector[i] == one
	}
	for i, name := range names {
		slot := slotName.FindString(name)
		switch {
		case slot == "":
		case !is[slot+"Active"] && !is[slot+"Kind_Transfer"] && !is[slot+"Kind_Open"] && !is[slot+"Kind_Exit"] && !is[slot+"Kind_ExitAll"]:
			names[i] = "unused " + name
		case is[slot+"Kind_Exit"] || is[slot+"Kind_ExitAll"]:
			names[i] = "exit " + name
		}
	}
	return hostile.Labelled{Name: s.name, Witness: s.full, Labels: names}
}

var slotName = regexp.MustCompile(`^[A-Za-z]+_\d+_`)

// TestEveryWitnessValueMatters changes each value by itself, in slots that are used and
// in slots that are not: a constraint must refuse it, unless it is one of freeValues. By
// default each value is changed in one way; with -exhaustive in every way and batch.
func TestEveryWitnessValueMatters(t *testing.T) {
	shapes := map[string]hostile.Depth{"tiny": hostile.Sampled}
	if *exhaustive {
		shapes = map[string]hostile.Depth{"tiny": hostile.All, "demo": hostile.Each}
	}
	for name, depth := range shapes {
		shape := mustShape(t, name)
		var batches []hostile.Labelled
		for _, s := range specimens(t, shape) {
			batches = append(batches, labelled(t, shape, s))
		}
		result, err := target(t, shape).Mutate(batches, freeValues(), depth)
		require.NoError(t, err)
		require.Empty(t, result.Unlisted)
		require.Empty(t, result.Stale)
		t.Logf("%s: %d values in %d batches, %d changes, %d accepted", name, len(batches[0].Labels), len(batches), result.Tried, result.Accepted)
	}
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
