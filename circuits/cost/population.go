package cost

import (
	"math/rand/v2"
	"slices"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/transition"
	"github.com/zksettle/settle/state"
)

// Pattern says which accounts of a token the transactions of a population touch.
type Pattern string

// Patterns.
const (
	Uniform  Pattern = ""         // all alike
	Zipf     Pattern = "zipf"     // senders and receivers by Zipf's law with exponent 1.1, scattered over the tree
	Merchant Pattern = "merchant" // half of all receivers are one account
)

// zipfExponent is that of Zipf: the busiest account of 2^20 makes a tenth of all
// transactions, the busiest 1,000 two thirds.
const zipfExponent = 1.1

// Population is what a shape is dimensioned for: transactions between random accounts
// of the same token, of which a share opens accounts and a share exits
// (docs/adr/0007-shapes.md). TestDimension holds it.
type Population struct {
	Accounts int // in the tree, at indices from 0
	Tokens   int
	Opens    float64 // share of the transactions
	Exits    float64
	Pattern  Pattern
}

// PopulationOf is what a shape is dimensioned for: the zero Population for one that only
// tests use.
func PopulationOf(shape transition.Shape) Population {
	switch shape.Name {
	case "demo":
		return Population{Accounts: 1024, Tokens: 2, Opens: 0.05, Exits: 0.05}
	case "small", "medium", "large":
		return Population{Accounts: 1 << 20, Tokens: 2, Opens: 0.05, Exits: 0.05}
	}
	return Population{}
}

// Sampler draws random batches of a population.
type Sampler struct {
	population Population
	r          *rand.Rand
	zipf       *rand.Zipf // rank of an account among those of its token
}

// Sampler draws by r, which fixes what it draws.
func (p Population) Sampler(r *rand.Rand) *Sampler {
	return &Sampler{p, r, rand.NewZipf(r, zipfExponent, 1, uint64(p.Accounts/p.Tokens-1))}
}

// Usage counts the slots that a random batch of n transactions needs, without
// executing it.
func (s *Sampler) Usage(n int) settle.Usage {
	var t tally
	s.batch(n, t.add)
	return t.total()
}

// batch draws n transactions. Opens take the slots behind the population.
func (s *Sampler) batch(n int, each func(state.Transaction)) {
	next := settle.AccountIndex(s.population.Accounts)
	for range n {
		tx := s.draw(next)
		if tx.Kind == settle.KindOpen {
			next++
		}
		each(tx)
	}
}

func (s *Sampler) draw(next settle.AccountIndex) state.Transaction {
	p := s.population
	token := s.r.IntN(p.Tokens)
	tx := state.Transaction{Kind: settle.KindTransfer, Token: settle.TokenID(token), Amount: 1, Fee: 1}
	tx.From, tx.To = s.account(token, false), s.account(token, true)
	switch share := s.r.Float64(); {
	case share < p.Opens:
		tx.Kind, tx.To, tx.Assigned = settle.KindOpen, 0, next
	case share < p.Opens+p.Exits:
		tx.Kind, tx.To = settle.KindExit, 0
	}
	return tx
}

// account picks an account of a token.
func (s *Sampler) account(token int, receives bool) settle.AccountIndex {
	of := s.population.Accounts / s.population.Tokens
	// A prime above every number of accounts here: a bijection of ranks to places, so
	// that busy accounts are no neighbours.
	scatter := func(rank uint64) int { return int(rank * 2_654_435_761 % uint64(of)) }
	var place int
	switch {
	case s.population.Pattern == Zipf:
		place = scatter(s.zipf.Uint64())
	case s.population.Pattern == Merchant && receives && s.r.IntN(2) == 0:
		place = scatter(1)
	default:
		place = s.r.IntN(of)
	}
	return settle.AccountIndex(place*s.population.Tokens + token)
}

// tally counts the slots of a batch without executing it, so that a tree of 2^20
// accounts need not be hashed. TestTallyAgreesWithState compares it with Usage.
type tally struct {
	accounts []settle.AccountIndex // touched, with repetitions
	fees     []settle.TokenID
	usage    settle.Usage
}

func (b *tally) add(tx state.Transaction) {
	b.accounts = append(b.accounts, tx.From, settle.AccountIndex(tx.Token)) // account of the token's index takes its fees
	if receiver, ok := tx.Receiver(); ok {
		b.accounts = append(b.accounts, receiver)
	}
	if !slices.Contains(b.fees, tx.Token) {
		b.fees = append(b.fees, tx.Token)
	}
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
	slices.Sort(b.accounts)
	level := slices.Compact(b.accounts)
	u.Accounts, u.FeeAccounts = len(level), len(b.fees)
	for range settle.TreeLevels {
		for i := range level {
			level[i] /= settle.TreeArity
		}
		level = slices.Compact(level)
		u.Nodes += len(level)
	}
	return u
}
