package transition

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// population is what a shape is dimensioned for: transfers between uniformly
// random accounts of the same token.
type population struct {
	accounts int
	tokens   int
}

func populations() map[string]population {
	return map[string]population{"demo": {accounts: 1024, tokens: 2}}
}

// world returns a state in which account i holds token i mod tokens and the
// first accounts take the fees.
func (p population) world(t testing.TB) *state.State {
	accounts := make([]state.Indexed, p.accounts)
	fees := map[settle.TokenID]settle.AccountIndex{}
	for i := range accounts {
		token := settle.TokenID(i % p.tokens)
		accounts[i] = state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: fr.NewElement(uint64(i) + 1), Token: token, Balance: settle.NewAmount(1 << 40),
		}}
		if i < p.tokens {
			fees[token] = settle.AccountIndex(i)
		}
	}
	s, err := state.Load(poseidon.New(), fr.NewElement(1), 0, accounts, fees)
	require.NoError(t, err)
	return s
}

// transfer picks a random transfer that the batch can execute.
func (p population) transfer(r *rand.Rand, b *state.Batch) state.Transaction {
	token := r.IntN(p.tokens)
	pick := func() settle.AccountIndex {
		return settle.AccountIndex(r.IntN(p.accounts/p.tokens)*p.tokens + token)
	}
	from, to := pick(), pick()
	sender, receiver := b.Account(from), b.Account(to)
	return state.Transaction{
		Kind: settle.KindTransfer, From: from, To: to, Token: settle.TokenID(token), Amount: 1, Fee: 1,
		Nonce: sender.Nonce, ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
	}
}

// TestDimension shows that at least 99.9 % of 1,000 random batches of N
// transfers fit each shape that states a population.
func TestDimension(t *testing.T) {
	const batches, mustFit = 1000, 999
	for name, p := range populations() {
		t.Run(name, func(t *testing.T) {
			shape, err := ShapeByName(name)
			require.NoError(t, err)
			s, r := p.world(t), rand.New(rand.NewPCG(1, 2))
			fit, most := 0, settle.Usage{}
			for range batches {
				b := s.Begin()
				for range shape.Transfers {
					require.NoError(t, b.Step(p.transfer(r, b)))
				}
				u := b.Usage()
				if shape.Fits(u) {
					fit++
				}
				most.Accounts, most.Nodes = max(most.Accounts, u.Accounts), max(most.Nodes, u.Nodes)
			}
			t.Logf("%d of %d fit; most accounts %d, most nodes %d", fit, batches, most.Accounts, most.Nodes)
			require.GreaterOrEqual(t, fit, mustFit)
		})
	}
}
