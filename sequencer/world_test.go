package sequencer

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
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

// transfer is a valid request but for what the caller changes before sign.
func (w *world) transfer(from, to int, amount uint64, nonce settle.Nonce) Request {
	receiver := w.accounts[to]
	return Request{
		Kind: settle.KindTransfer, From: settle.AccountIndex(from), To: settle.AccountIndex(to), Token: w.accounts[from].Token,
		Amount: settle.NewAmount(amount), Fee: settle.NewAmount(minFee), Nonce: nonce,
		ToOwner: receiver.Owner.Bytes(), ToL1: receiver.L1, PublicKey: w.accounts[from].Owner.Bytes(),
	}
}

// open is a valid request for a new account under the key of a user, who holds one
// already, with an l1 of its own.
func (w *world) open(from, owner int, amount uint64, nonce settle.Nonce) Request {
	r := w.transfer(from, owner, amount, nonce)
	r.Kind, r.To, r.ToL1 = settle.KindOpen, 0, openedL1
	return r
}

var openedL1 = settle.Address{0: 0xee, 19: 1}

// exit is a valid request for an exit of amount, or of everything if it is 0.
func (w *world) exit(from int, amount uint64, nonce settle.Nonce) Request {
	r := w.transfer(from, from, amount, nonce)
	r.Kind, r.To, r.ToOwner = settle.KindExit, 0, settle.Element{}
	if amount == 0 {
		r.Kind = settle.KindExitAll
	}
	return r
}

// sign signs r with the key of a user.
func (w *world) sign(r Request, user int) Request {
	w.t.Helper()
	r.Signature = make([]byte, schnorr.SignatureSize)
	r.Signature[31], r.Signature[63] = 1, 1 // parses
	tx, err := r.transaction()
	require.NoError(w.t, err)
	sig, err := schnorr.Sign(w.keys[user], tx.Message(w.domain), nil)
	require.NoError(w.t, err)
	encoded := sig.Bytes()
	r.Signature = encoded[:]
	return r
}

func (w *world) rules() Rules {
	r := Rules{Domain: w.domain, FeeAccounts: map[settle.TokenID]store.FeeAccount{}, NextBatch: 1, Kinds: w.kinds}
	for _, f := range w.genesis.FeeAccounts {
		r.FeeAccounts[f.Token] = f
	}
	return r
}

func (w *world) lookup() AccountMap {
	m := AccountMap{}
	for _, a := range w.genesis.Accounts {
		m[a.Index] = a
	}
	return m
}

// Account implements Accounts for those of genesis.
func (w *world) Account(index settle.AccountIndex) (store.Account, bool) {
	if int(index) >= len(w.genesis.Accounts) {
		return store.Account{}, false
	}
	return w.genesis.Accounts[index], true
}

// submission is a checked transfer, ready for store.Admit.
func (w *world) submission(from, to int, amount uint64, nonce settle.Nonce) store.Submission {
	w.t.Helper()
	return w.check(w.transfer(from, to, amount, nonce))
}

// check signs r with its sender's key and sends it through CheckTransaction.
func (w *world) check(r Request) store.Submission {
	w.t.Helper()
	s, err := CheckTransaction(w.rules(), w, w.sign(r, int(r.From)))
	require.NoError(w.t, err)
	return s
}
