package sequencer

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

const (
	genesisBalance = 1_000_000
	minFee         = 2
)

var testShapes = []Shape{
	{Name: "tiny", KeyHash: settle.KeyHash{1}, Capacity: settle.Capacity{Transfers: 2, Accounts: 5, Nodes: 60, FeeAccounts: 1}},
	{Name: "demo", KeyHash: settle.KeyHash{2}, Capacity: settle.Capacity{Transfers: 8, Accounts: 17, Nodes: 120, FeeAccounts: 1}},
}

// kindShapes have slots for every kind of transaction.
var kindShapes = []Shape{
	{Name: "tiny", KeyHash: settle.KeyHash{1}, Capacity: settle.Capacity{Transfers: 2, Accounts: 5, Nodes: 60, FeeAccounts: 1, Opens: 1, Exits: 1}},
	{Name: "demo", KeyHash: settle.KeyHash{2}, Capacity: settle.Capacity{Transfers: 8, Accounts: 17, Nodes: 120, FeeAccounts: 1, Opens: 2, Exits: 3}},
}

// world is a rollup with its users' keys. Account i holds token i mod tokens;
// the first account of each token collects its fees.
type world struct {
	t        testing.TB
	hasher   *poseidon.Hasher
	domain   fr.Element
	keys     []schnorr.PrivateKey
	accounts []state.Indexed
	fees     map[settle.TokenID]settle.AccountIndex
	genesis  store.Genesis
	shapes   []Shape
	kinds    []settle.Kind
	known    admission.Accounts // of genesis, once check has read them
}

func newWorld(t testing.TB, users, tokens int, shapes []Shape) *world {
	t.Helper()
	address := settle.Address{0xaa}
	w := &world{t: t, hasher: poseidon.New(), domain: publicdata.Domain(1337, address), fees: map[settle.TokenID]settle.AccountIndex{}, shapes: shapes, kinds: KindsOf(shapes)}
	for i := range users {
		secret := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("user"), uint64(i)))
		secret[0] = 0 // below q
		key, err := schnorr.NewPrivateKey(secret[:])
		require.NoError(t, err)
		w.keys = append(w.keys, key)
		token := settle.TokenID(i % tokens)
		if i < tokens {
			w.fees[token] = settle.AccountIndex(i)
			w.genesis.FeeAccounts = append(w.genesis.FeeAccounts, store.FeeAccount{Token: token, Index: settle.AccountIndex(i), MinFee: settle.NewAmount(minFee)})
		}
		w.accounts = append(w.accounts, state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: key.Public().X, Token: token, Balance: settle.NewAmount(genesisBalance), L1: settle.Address{19: byte(i + 1)},
		}})
	}
	s := w.state()
	root := s.Root()
	w.genesis.Rollup = store.Rollup{
		Domain: w.domain.Bytes(), ChainID: 1337, Address: address, GenesisRoot: root.Bytes(), GenesisHash: settle.Hash{9}, UnsafeDev: true,
	}
	for i, shape := range shapes {
		w.genesis.Rollup.Verifiers = append(w.genesis.Rollup.Verifiers, store.Verifier{
			Circuit: settle.CircuitTransition, Shape: shape.Name, KeyHash: shape.KeyHash, Address: settle.Address{0xbb, byte(i)},
		})
	}
	for _, a := range w.accounts {
		w.genesis.Accounts = append(w.genesis.Accounts, accountToStored(a.Index, a.Account, a.Leaf(w.hasher)))
	}
	return w
}

// state is the state after genesis.
func (w *world) state() *state.State {
	s, err := state.Load(w.hasher, w.domain, 0, w.accounts, w.fees)
	require.NoError(w.t, err)
	return s
}

// transfer is a valid transaction but for what the caller changes before sign.
func (w *world) transfer(from, to int, amount uint64, nonce settle.Nonce) state.Transaction {
	w.t.Helper()
	receiver := w.accounts[to]
	short, err := state.NewFloat40(settle.NewAmount(amount))
	require.NoError(w.t, err)
	return state.Transaction{
		Kind: settle.KindTransfer, From: settle.AccountIndex(from), To: settle.AccountIndex(to), Token: w.accounts[from].Token,
		Amount: short, Fee: minFee, Nonce: nonce, ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: w.accounts[from].Owner,
	}
}

// open is a valid transaction for a new account under the key of a user, who holds one
// already, with an l1 of its own.
func (w *world) open(from, owner int, amount uint64, nonce settle.Nonce) state.Transaction {
	tx := w.transfer(from, owner, amount, nonce)
	tx.Kind, tx.To, tx.ToL1 = settle.KindOpen, 0, openedL1
	return tx
}

var openedL1 = settle.Address{0: 0xee, 19: 1}

// exit is a valid exit of amount, or of everything if it is 0.
func (w *world) exit(from int, amount uint64, nonce settle.Nonce) state.Transaction {
	tx := w.transfer(from, from, amount, nonce)
	tx.Kind, tx.To, tx.ToOwner = settle.KindExit, 0, fr.Element{}
	if amount == 0 {
		tx.Kind = settle.KindExitAll
	}
	return tx
}

// sign signs tx with the key of a user.
func (w *world) sign(tx state.Transaction, user int) state.Transaction {
	w.t.Helper()
	var err error
	tx.Signature, err = schnorr.Sign(w.keys[user], tx.Message(w.domain), nil)
	require.NoError(w.t, err)
	return tx
}

func (w *world) rules() admission.Rules {
	r := admission.Rules{Domain: w.domain, MinFees: map[settle.TokenID]settle.Amount{}, NextBatch: 1, Kinds: w.kinds}
	for _, f := range w.genesis.FeeAccounts {
		r.MinFees[f.Token] = f.MinFee
	}
	return r
}

func (w *world) lookup() admission.Accounts {
	m := admission.Accounts{}
	for _, a := range w.genesis.Accounts {
		m[a.Index] = admission.Account{Owner: a.Owner, Token: a.Token, L1: a.L1}
	}
	return m
}

// submission is a checked transfer, ready for store.Admit.
func (w *world) submission(from, to int, amount uint64, nonce settle.Nonce) admission.Checked {
	w.t.Helper()
	return w.check(w.transfer(from, to, amount, nonce))
}

// check signs tx with its sender's key and sends it through admission.
func (w *world) check(tx state.Transaction) admission.Checked {
	w.t.Helper()
	if w.known == nil {
		w.known = w.lookup()
	}
	s, err := admission.Check(w.rules(), w.known, w.sign(tx, int(tx.From)))
	require.NoError(w.t, err)
	return s
}
