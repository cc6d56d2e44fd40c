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

// draw picks a random transaction of the population. An open takes the slot next.
func (p Population) draw(r *rand.Rand, next settle.AccountIndex) state.Transaction {
	token := r.IntN(p.Tokens)
	pick := func() settle.AccountIndex {
		return settle.AccountIndex(r.IntN(p.Accounts/p.Tokens)*p.Tokens + token)
	}
	tx := state.Transaction{Kind: settle.KindTransfer, From: pick(), To: pick(), Token: settle.TokenID(token), Amount: 1, Fee: 1}
	switch share := r.Float64(); {
	case share < p.Opens:
		tx.Kind, tx.To, tx.Assigned = settle.KindOpen, 0, next
	case share < p.Opens+p.Exits:
		tx.Kind, tx.To = settle.KindExit, 0
	}
	return tx
}

// tally counts the slots of a batch without executing it, so that a tree of 2^20
// accounts need not be hashed. TestTallyAgreesWithState compares it with Usage.
type tally struct {
	accounts map[settle.AccountIndex]bool
	fees     map[settle.TokenID]bool
	usage    settle.Usage
}

func (b *tally) add(tx state.Transaction) {
	b.accounts[tx.From] = true
	b.accounts[settle.AccountIndex(tx.Token)] = true // fee account of the token
	if receiver, ok := tx.Receiver(); ok {
		b.accounts[receiver] = true
	}
	b.fees[tx.Token] = true
	b.usage.Transfers++
	switch {
	case tx.Kind == settle.KindOpen:
		b.usage.Opens++
	case tx.IsExit():
		b.usage.Exits++
	}
}

func (b *tally) total() settle.Usage {
	u := b.usage
	u.Accounts, u.FeeAccounts = len(b.accounts), len(b.fees)
	level := b.accounts
	for range settle.TreeLevels {
		parents := map[settle.AccountIndex]bool{}
		for position := range level {
			parents[position/settle.TreeArity] = true
		}
		u.Nodes += len(parents)
		level = parents
	}
	return u
}

func (p Population) batch(r *rand.Rand, n int, each func(state.Transaction)) {
	next := settle.AccountIndex(p.Accounts)
	for range n {
		tx := p.draw(r, next)
		if tx.Kind == settle.KindOpen {
			next++
		}
		each(tx)
	}
}

// TestDimension shows that at least 99.9 % of 1,000 random batches of N
// transactions fit each shape that states a population.
func TestDimension(t *testing.T) {
	const batches, mustFit = 1000, 999
	for _, shape := range Shapes() {
		if shape.Population.Accounts == 0 {
			continue
		}
		t.Run(shape.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			fit, most := 0, settle.Usage{}
			for range batches {
				b := &tally{accounts: map[settle.AccountIndex]bool{}, fees: map[settle.TokenID]bool{}}
				shape.Population.batch(r, shape.Transfers, b.add)
				u := b.total()
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
	shape := mustShape(t, "demo")
	p := shape.Population
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
	for range 50 {
		count := &tally{accounts: map[settle.AccountIndex]bool{}, fees: map[settle.TokenID]bool{}}
		b := s.Begin()
		p.batch(r, shape.Transfers, func(tx state.Transaction) {
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
