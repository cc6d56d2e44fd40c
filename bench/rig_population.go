package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// balanceOf is what each account starts with, in smallest units: more than any
// benchmark moves.
const balanceOf = 1_000_000_000_000

// Population is accounts whose keys follow from a seed, so that processes need not pass
// keys to each other. All hold token 0; account 0 takes the fees and sends nothing.
type Population struct {
	Seed     uint64 `json:"seed"`
	Accounts int    `json:"accounts"` // at least 3
}

// source is a stream of random bytes for one purpose.
func (p Population) source(purpose string) *rand.ChaCha8 {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], p.Seed)
	copy(seed[8:], purpose)
	return rand.NewChaCha8(seed)
}

// keys are the private keys, by index.
func (p Population) keys() ([]schnorr.PrivateKey, error) {
	if p.Accounts < 3 {
		return nil, fmt.Errorf("%d accounts, expected at least 3", p.Accounts)
	}
	keys, random := make([]schnorr.PrivateKey, p.Accounts), p.source("keys")
	for i := range keys {
		var err error
		if keys[i], err = schnorr.GenerateKey(random); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func addressOf(i int) settle.Address {
	return settle.Address{0xbe, 0xac, 16: byte(i >> 24), 17: byte(i >> 16), 18: byte(i >> 8), 19: byte(i)}
}

func genesisOf(keys []schnorr.PrivateKey) *state.Genesis {
	g := &state.Genesis{FeeAccounts: []state.GenesisFeeAccount{{}}}
	for i, key := range keys {
		g.Accounts = append(g.Accounts, state.GenesisAccount{Owner: key.Public(), Balance: settle.NewAmount(balanceOf), L1: addressOf(i)})
	}
	return g
}

// traffic is an endless sequence of transfers between random accounts, the same for
// everybody who has the population.
type traffic struct {
	random *rand.Rand
	nonces []settle.Nonce
	count  uint64
}

func (p Population) traffic() *traffic {
	return &traffic{random: rand.New(p.source("traffic")), nonces: make([]settle.Nonce, p.Accounts)}
}

// next decides the next transfer; its receiver's address is left out.
func (t *traffic) next() client.Transfer {
	from := 1 + t.random.IntN(len(t.nonces)-1)
	to := 1 + t.random.IntN(len(t.nonces)-2)
	if to >= from {
		to++
	}
	transfer := client.Transfer{
		From: settle.AccountIndex(from), To: settle.AccountIndex(to),
		Amount: settle.NewAmount(1000 + t.count%1000), Fee: settle.NewAmount(1), Nonce: t.nonces[from],
	}
	t.nonces[from]++
	t.count++
	return transfer
}

// pending is how many transfers may wait: half of what would take every sender's nonces
// to the end of their window, as senders are drawn at random.
func (p Population) pending() int { return settle.NonceWindow / 2 * (p.Accounts - 1) }

// signer signs traffic for a rollup.
type signer struct {
	*traffic
	keys    []schnorr.PrivateKey
	chainID uint64
	rollup  settle.Address
}

func (p Population) signer(chainID uint64, rollup settle.Address) (*signer, error) {
	keys, err := p.keys()
	if err != nil {
		return nil, err
	}
	return &signer{p.traffic(), keys, chainID, rollup}, nil
}

// sign signs the next n transfers.
func (s *signer) sign(n int) ([]wire.Transaction, []settle.Hash, error) {
	txs, ids := make([]wire.Transaction, n), make([]settle.Hash, n)
	for i := range txs {
		t := s.next()
		t.Receiver = client.Address{Owner: s.keys[t.To].Public().Element(), L1: addressOf(int(t.To))}
		var err error
		wallet := client.NewWallet(s.keys[t.From], s.chainID, s.rollup, addressOf(int(t.From)))
		if txs[i], ids[i], err = wallet.Sign(t); err != nil {
			return nil, nil, err
		}
	}
	return txs, ids, nil
}
