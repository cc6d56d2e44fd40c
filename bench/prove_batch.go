package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// errFull reports a population of which too few random batches fit their shape.
var errFull = errors.New("random batches do not fit the shape")

// population is what the batches of a shape are drawn from: uniformly random accounts
// of one token. Shapes that state none are for tests.
func population(shape circuits.Shape) (accounts, tokens int) {
	if p := shape.Population; p.Accounts > 0 {
		return p.Accounts, p.Tokens
	}
	return 16, 1
}

// pair is a transfer to be signed.
type pair struct{ from, to settle.AccountIndex }

// randomBatches returns n consecutive full batches of signed transfers between
// random accounts of the shape's population, the same ones for the same seed. Only
// accounts that send have keys; the others have owners that nobody can sign for.
func randomBatches(shape circuits.Shape, seed uint64, n int) ([]*state.Trace, error) {
	var seeded [32]byte
	binary.BigEndian.PutUint64(seeded[:], seed)
	source := rand.NewChaCha8(seeded)
	random := rand.New(source)
	accounts, tokens := population(shape)
	draws := make([][]pair, n+2) // one batch in a thousand or fewer does not fit
	keys := map[settle.AccountIndex]schnorr.PrivateKey{}
	for i := range draws {
		for range shape.Transfers {
			token := random.IntN(tokens)
			pick := func() settle.AccountIndex {
				return settle.AccountIndex(random.IntN(accounts/tokens)*tokens + token)
			}
			p := pair{pick(), pick()}
			draws[i] = append(draws[i], p)
			if _, ok := keys[p.from]; ok {
				continue
			}
			key, err := schnorr.GenerateKey(source)
			if err != nil {
				return nil, err
			}
			keys[p.from] = key
		}
	}
	s, err := fundedState(accounts, tokens, keys)
	if err != nil {
		return nil, err
	}
	var traces []*state.Trace
	for _, draw := range draws {
		trace, err := sealBatch(s, shape, draw, keys, source)
		if err != nil {
			return nil, err
		}
		if trace != nil {
			traces = append(traces, trace)
		}
		if len(traces) == n {
			return traces, nil
		}
	}
	return nil, fmt.Errorf("%w: %d of %d fit %s", errFull, len(traces), len(draws), shape.Name)
}

func fundedState(accounts, tokens int, keys map[settle.AccountIndex]schnorr.PrivateKey) (*state.State, error) {
	list, fees := make([]state.Indexed, accounts), map[settle.TokenID]settle.AccountIndex{}
	for i := range list {
		index, token := settle.AccountIndex(i), settle.TokenID(i%tokens)
		owner := fr.NewElement(uint64(i) + 1)
		if key, ok := keys[index]; ok {
			owner = key.Public().X
		}
		var l1 settle.Address
		binary.BigEndian.PutUint64(l1[len(l1)-8:], uint64(i)+1)
		list[i] = state.Indexed{Index: index, Account: state.Account{Owner: owner, Token: token, Balance: settle.NewAmount(1 << 40), L1: l1}}
		if i < tokens {
			fees[token] = index
		}
	}
	return state.Load(poseidon.New(), publicdata.Domain(1337, settle.Address{1}), 0, list, fees)
}

// sealBatch executes a draw and seals it; nil where it does not fit the shape.
func sealBatch(s *state.State, shape circuits.Shape, draw []pair, keys map[settle.AccountIndex]schnorr.PrivateKey, random *rand.ChaCha8) (*state.Trace, error) {
	b := s.Begin()
	for i, p := range draw {
		sender, receiver := b.Account(p.from), b.Account(p.to)
		amount, err := state.NewFloat40(settle.NewAmount(random.Uint64() % 1_000_000))
		if err != nil {
			return nil, fmt.Errorf("transfer %d: %w", i, err)
		}
		fee, err := state.NewFloat16(settle.NewAmount(random.Uint64() % 1000))
		if err != nil {
			return nil, fmt.Errorf("transfer %d: %w", i, err)
		}
		tx := state.Transaction{
			Kind: settle.KindTransfer, From: p.from, To: p.to, Token: sender.Token, Amount: amount, Fee: fee, Nonce: sender.Nonce,
			ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
		}
		if tx.Signature, err = schnorr.Sign(keys[p.from], tx.Message(s.Domain()), random); err != nil {
			return nil, fmt.Errorf("transfer %d: %w", i, err)
		}
		if err := b.Step(tx); err != nil {
			return nil, fmt.Errorf("transfer %d: %w", i, err)
		}
	}
	if !shape.Fits(b.Usage()) {
		return nil, nil
	}
	return b.Seal()
}
