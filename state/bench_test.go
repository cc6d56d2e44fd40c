package state_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

var benchLevels = flag.Int("bench-log-accounts", 16, "log2 of the number of accounts of BenchmarkApply and BenchmarkGenesis")

// BenchmarkGenesis reads a genesis file and computes what a deployment needs of it.
func BenchmarkGenesis(b *testing.B) {
	var keys []schnorr.PublicKey
	for i := range 64 {
		key, err := schnorr.NewPrivateKey(append(make([]byte, 31), byte(i+1)))
		require.NoError(b, err)
		keys = append(keys, key.Public())
	}
	g := &state.Genesis{Accounts: make([]state.GenesisAccount, 1<<*benchLevels), FeeAccounts: []state.GenesisFeeAccount{{}}}
	for i := range g.Accounts {
		g.Accounts[i] = state.GenesisAccount{Owner: keys[i%len(keys)], Balance: settle.NewAmount(uint64(i) * 1e12), L1: settle.Address{0: 1, 19: byte(i)}}
	}
	file, err := json.Marshal(g)
	require.NoError(b, err)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			_, err := state.ParseGenesis(file)
			require.NoError(b, err)
		}
	})
	b.Run("state", func(b *testing.B) {
		for b.Loop() {
			_, err := g.State(poseidon.New(), element(1))
			require.NoError(b, err)
		}
	})
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			g.Hash()
		}
	})
}

// BenchmarkApply executes and seals batches of 100 transfers between random
// accounts. Signatures are not part of Apply.
func BenchmarkApply(b *testing.B) {
	const perBatch = 100
	count := 1 << *benchLevels
	accounts := make([]state.Indexed, count)
	for i := range accounts {
		accounts[i] = state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: element(uint64(i + 1)), Balance: settle.NewAmount(1 << 50), L1: settle.Address{19: 1},
		}}
	}
	s, err := state.Load(poseidon.New(), element(1), 0, accounts, map[settle.TokenID]settle.AccountIndex{0: 0})
	require.NoError(b, err)
	random := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		batch := s.Begin()
		for range perBatch {
			from, to := settle.AccountIndex(random.IntN(count)), settle.AccountIndex(random.IntN(count))
			sender, receiver := batch.Account(from), batch.Account(to)
			if err := batch.Step(state.Transaction{
				Kind: settle.KindTransfer, From: from, To: to, Amount: 1000, Fee: 1, Nonce: sender.Nonce,
				ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
			}); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := batch.Seal(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(perBatch*b.N)/b.Elapsed().Seconds(), "transfers/s")
}
