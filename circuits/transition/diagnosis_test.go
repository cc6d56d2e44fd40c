package transition

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/diagnosis"
	"github.com/zksettle/settle/circuits/gadget"
)

func newAudit(t testing.TB, shape Shape) *diagnosis.Audit {
	solver.RegisterHint(gadget.Hints()...)
	audit, err := diagnosis.NewAudit(New(shape))
	require.NoError(t, err)
	return audit
}

// The audit names the rule that is broken, whichever way the circuit states it.
func TestAuditNamesBrokenRules(t *testing.T) {
	a := newAudit(t, mustShape(t, "tiny"))
	for name, c := range map[string]struct {
		change func(*Circuit)
		rules  []string
	}{
		"nothing":                       {func(*Circuit) {}, nil},
		"number of 33 bits":             {func(c *Circuit) { c.Header.Number = 1 << 32 }, []string{"number: 32 bits", "transfer: not expired", "data: c is the commitment", "data: v is the evaluation"}},
		"level above the root":          {func(c *Circuit) { c.Nodes[0].Level = 17 }, []string{"tree: level in 1..16", "bus: tree", "bus: tree"}},
		"level 0":                       {func(c *Circuit) { c.Nodes[0].Level = 0 }, []string{"tree: level in 1..16", "bus: tree", "bus: tree"}},
		"half an active slot":           {func(c *Circuit) { c.Nodes[0].Active = 2 }, []string{"tree: active is boolean", "bus: tree"}},
		"a receiver's access elsewhere": {func(c *Circuit) { c.Transfers[0].Receiver.Nonce = 77 }, []string{"bus: memory", "bus: memory"}},
		"a sender's balance in the clouds": {func(c *Circuit) {
			c.Transfers[0].Sender.Balance = new(big.Int).Lsh(big.NewInt(1), 129)
		}, []string{"transfer: sender balance has 128 bits", "bus: memory"}},
		"an overdraft":           {func(c *Circuit) { c.Transfers[0].Sender.Balance = 3 }, []string{"transfer: sender balance has 128 bits", "bus: memory"}},
		"a token of another":     {func(c *Circuit) { c.FeeAccounts[0].Token = 9 }, []string{"bus: fee", "data: c is the commitment"}},
		"a fee token too wide":   {func(c *Circuit) { c.FeeAccounts[0].Token = 1 << 32 }, []string{"fee: token has 32 bits"}},
		"an exit out of nothing": {func(c *Circuit) { c.Exits[0].Active = 1 }, []string{"bus: exits", "data: c is the commitment"}},
		"an exit's l1 too wide": {func(c *Circuit) {
			c.Exits[0].L1 = new(big.Int).Lsh(big.NewInt(1), 160)
		}, []string{"exit: l1 has 160 bits"}},
		"two kinds":                  {func(c *Circuit) { c.Transfers[0].Kind.Open = 1 }, []string{"transfer: at most one kind"}},
		"another window's table row": {func(c *Circuit) { c.Transfers[0].Signature.Windows[0] = c.Transfers[0].Signature.Windows[1] }, []string{"gadget.(*SignatureVerifier).equation", "bus: fixed-base table"}},
		"a root":                     {func(c *Circuit) { c.Header.NewRoot = 5 }, []string{"bus: tree", "bus: tree"}},
	} {
		t.Run(name, func(t *testing.T) {
			assignment := halfFull(t)
			c.change(assignment)
			w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
			require.NoError(t, err)
			found, err := a.Run(w)
			if len(c.rules) == 0 {
				require.NoError(t, err)
				require.Empty(t, found)
				return
			}
			var rules []string
			for _, v := range found {
				t.Log(v.Error(), v.Code)
				rules = append(rules, v.Rule)
			}
			require.ErrorIs(t, err, diagnosis.ErrBroken)
			require.Subset(t, rules, c.rules)
		})
	}
}

// The audit and the real circuit agree on which changes of a witness are refused.
func TestAuditAgreesWithTheCircuit(t *testing.T) {
	a, ccs := newAudit(t, mustShape(t, "tiny")), system(t, mustShape(t, "tiny"))
	full, err := frontend.NewWitness(halfFull(t), ecc.BN254.ScalarField())
	require.NoError(t, err)
	vector, one := full.Vector().(fr.Vector), fr.One()
	stride := 23
	if testing.Short() {
		stride = 97
	}
	refused := 0
	for i := 0; i < len(vector); i += stride {
		changed := append(fr.Vector{}, vector...)
		changed[i].Add(&changed[i], &one)
		w, err := witness.New(ecc.BN254.ScalarField())
		require.NoError(t, err)
		values := make(chan any, len(changed))
		for _, v := range changed {
			values <- v
		}
		close(values)
		require.NoError(t, w.Fill(gadget.PublicInputs, len(changed)-gadget.PublicInputs, values))
		solved := solveWitness(ccs, w)
		found, audited := a.Run(w)
		require.Equal(t, solved == nil, audited == nil, "value %d: the solver says %v, the audit %v", i, solved, audited)
		if solved != nil {
			refused++
		}
		if audited != nil && len(found) == 0 {
			t.Logf("value %d: %v", i, audited)
		}
	}
	require.Greater(t, refused, 5)
}
