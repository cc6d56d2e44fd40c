package cost

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/transition"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// TestDimension shows that at least 99.9 % of 1,000 random batches of N
// transactions fit each shape that is not for tests alone.
func TestDimension(t *testing.T) {
	const batches, mustFit = 1000, 999
	for _, shape := range transition.Shapes() {
		if shape.Name == "tiny" {
			require.Zero(t, PopulationOf(shape))
			continue
		}
		t.Run(shape.Name, func(t *testing.T) {
			batch := PopulationOf(shape).Sampler(rand.New(rand.NewPCG(1, 2)))
			fit, most := 0, settle.Usage{}
			for range batches {
				u := batch.Usage(shape.Transfers)
				if shape.Fits(u) {
					fit++
				}
				most.Accounts, most.Nodes = max(most.Accounts, u.Accounts), max(most.Nodes, u.Nodes)
				most.Opens, most.Exits = max(most.Opens, u.Opens), max(most.Exits, u.Exits)
			}
			t.Logf("%d of %d fit; most accounts %d, nodes %d, opens %d, exits %d", fit, batches, most.Accounts, most.Nodes, most.Opens, most.Exits)
			require.GreaterOrEqual(t, fit, mustFit)
			require.Equal(t, 2*shape.Transfers+shape.FeeAccounts, shape.Accounts, "accounts never bind")
		})
	}
}

// TestTallyAgreesWithState executes random batches and compares the slots that
// they use with the tally's.
func TestTallyAgreesWithState(t *testing.T) {
	shape, err := transition.ShapeByName("demo")
	require.NoError(t, err)
	p := PopulationOf(shape)
	accounts := make([]state.Indexed, p.Accounts)
	fees := map[settle.TokenID]settle.AccountIndex{}
	for i := range accounts {
		token := settle.TokenID(i % p.Tokens)
		accounts[i] = state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: fr.NewElement(uint64(i) + 1), Token: token, Balance: settle.NewAmount(1 << 40),
		}}
		if i < p.Tokens {
			fees[token] = settle.AccountIndex(i)
		}
	}
	s, err := state.Load(poseidon.New(), fr.NewElement(1), 0, accounts, fees)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 50 {
		p.Pattern = []Pattern{Uniform, Zipf, Merchant}[i%3]
		var count tally
		b := s.Begin()
		p.Sampler(r).batch(shape.Transfers, func(tx state.Transaction) {
			count.add(tx)
			sender := b.Account(tx.From)
			tx.Nonce, tx.PublicKey = sender.Nonce, sender.Owner
			switch tx.Kind {
			case settle.KindTransfer:
				tx.ToOwner, tx.ToL1 = b.Account(tx.To).Owner, b.Account(tx.To).L1
			case settle.KindOpen:
				tx.ToOwner = fr.NewElement(1 << 40)
			}
			require.NoError(t, b.Step(tx))
		})
		require.Equal(t, b.Usage(), count.total())
	}
}
