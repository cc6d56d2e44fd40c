package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
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
	if p := cost.PopulationOf(shape); p.Accounts > 0 {
		return p.Accounts, p.Tokens
	}
	return 16, 1
}

// drawn is a transaction to be signed.
type drawn struct {
	kind     settle.Kind
	from, to settle.AccountIndex
}

// randomBatches returns n consecutive full batches of signed transactions of what the
// shape is dimensioned for, the same ones for the same seed: transfers between random
// accounts, and shares of opens and exits. Only accounts that send have keys; the
// others have owners that nobody can sign for.
func randomBatches(shape circuits.Shape, seed uint64, n int) ([]*state.Trace, error) {
	var seeded [32]byte
	binary.BigEndian.PutUint64(seeded[:], seed)
	source := rand.NewChaCha8(seeded)
	random := rand.New(source)
	accounts, tokens := population(shape)
	shares := cost.PopulationOf(shape)
	draws := make([][]drawn, n+2) // one batch in a thousand or fewer does not fit
	keys := map[settle.AccountIndex]schnorr.PrivateKey{}
	for i := range draws {
		for range shape.Transfers {
			token := random.IntN(tokens)
			pick := func() settle.AccountIndex {
				return settle.AccountIndex(random.IntN(accounts/tokens)*tokens + token)
			}
			d := drawn{settle.KindTransfer, pick(), pick()}
			switch share := random.Float64(); {
			case share < shares.Opens:
				d.kind, d.to = settle.KindOpen, 0
			case share < shares.Opens+shares.Exits:
				d.kind, d.to = settle.KindExit, 0
			}
			draws[i] = append(draws[i], d)
			if _, ok := keys[d.from]; ok {
				continue
			}
			key, err := schnorr.GenerateKey(source)
			if err != nil {
				return nil, err
			}
			keys[d.from] = key
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
		list[i] = state.Indexed{Index: index, Account: state.Account{Owner: owner, Token: token, Balance: settle.NewAmount(1 << 40), L1: l1Address(index)}}
		if i < tokens {
			fees[token] = index
		}
	}
	return state.Load(poseidon.New(), publicdata.Domain(1337, settle.Address{1}), 0, list, fees)
}

// sealBatch executes a draw and seals it; nil where it does not fit the shape.
func sealBatch(s *state.State, shape circuits.Shape, draw []drawn, keys map[settle.AccountIndex]schnorr.PrivateKey, random *rand.ChaCha8) (*state.Trace, error) {
	b := s.Begin()
	for i, d := range draw {
		tx, err := fill(b, d, random)
		if err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
		if tx.Signature, err = schnorr.Sign(keys[d.from], tx.Message(s.Domain()), random); err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
		if err := b.Step(tx); err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	if !shape.Fits(b.Usage()) {
		return nil, nil
	}
	return b.Seal()
}

// fill makes the transaction of a draw on top of what the batch has executed.
func fill(b *state.Batch, d drawn, random *rand.ChaCha8) (state.Transaction, error) {
	sender := b.Account(d.from)
	tx := state.Transaction{Kind: d.kind, From: d.from, To: d.to, Token: sender.Token, Nonce: sender.Nonce, PublicKey: sender.Owner}
	var err error
	if tx.Amount, err = state.NewFloat40(settle.NewAmount(random.Uint64() % 1_000_000)); err != nil {
		return tx, err
	}
	if tx.Fee, err = state.NewFloat16(settle.NewAmount(random.Uint64() % 1000)); err != nil {
		return tx, err
	}
	switch d.kind {
	case settle.KindOpen:
		if tx.Assigned, err = b.NextIndex(); err != nil {
			return tx, err
		}
		tx.ToOwner, tx.ToL1 = fr.NewElement(uint64(tx.Assigned)+1), l1Address(tx.Assigned)
	case settle.KindExit:
		tx.ToL1 = sender.L1
	default:
		receiver := b.Account(d.to)
		tx.ToOwner, tx.ToL1 = receiver.Owner, receiver.L1
	}
	return tx, nil
}

// l1Address is one of its own for each account.
func l1Address(index settle.AccountIndex) (a settle.Address) {
	binary.BigEndian.PutUint64(a[len(a)-8:], uint64(index)+1)
	return a
}
