package admission

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

const minFee = 2

// world is what admission is told of a rollup, with its users' keys. Account i holds
// token i mod tokens.
type world struct {
	t        testing.TB
	domain   fr.Element
	keys     []schnorr.PrivateKey
	accounts Accounts
	minFees  map[settle.TokenID]settle.Amount
	kinds    []settle.Kind
}

func newWorld(t testing.TB, users, tokens int) *world {
	t.Helper()
	w := &world{
		t: t, domain: publicdata.Domain(1337, settle.Address{0xaa}), accounts: Accounts{}, minFees: map[settle.TokenID]settle.Amount{},
		kinds: []settle.Kind{settle.KindTransfer, settle.KindOpen, settle.KindExit, settle.KindExitAll},
	}
	for i := range users {
		secret := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("user"), uint64(i)))
		secret[0] = 0 // below q
		key, err := schnorr.NewPrivateKey(secret[:])
		require.NoError(t, err)
		token := settle.TokenID(i % tokens)
		w.keys, w.minFees[token] = append(w.keys, key), settle.NewAmount(minFee)
		w.accounts[settle.AccountIndex(i)] = Account{Owner: key.Public().Element(), Token: token, L1: settle.Address{19: byte(i + 1)}}
	}
	return w
}

// transfer is a valid transaction but for what the caller changes before sign.
func (w *world) transfer(from, to int, amount state.Float40, nonce settle.Nonce) state.Transaction {
	return state.Transaction{
		Kind: settle.KindTransfer, From: settle.AccountIndex(from), To: settle.AccountIndex(to), Token: w.accounts[settle.AccountIndex(from)].Token,
		Amount: amount, Fee: minFee, Nonce: nonce, ToOwner: w.keys[to].Public().X, ToL1: w.accounts[settle.AccountIndex(to)].L1,
		PublicKey: w.keys[from].Public().X,
	}
}

var openedL1 = settle.Address{0: 0xee, 19: 1}

// open is a valid transaction for a new account of a user's.
func (w *world) open(from, owner int, amount state.Float40, nonce settle.Nonce) state.Transaction {
	tx := w.transfer(from, owner, amount, nonce)
	tx.Kind, tx.To, tx.ToL1 = settle.KindOpen, 0, openedL1
	return tx
}

// exit is a valid exit of amount, or of everything if it is 0.
func (w *world) exit(from int, amount state.Float40, nonce settle.Nonce) state.Transaction {
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

func (w *world) rules() Rules {
	return Rules{Domain: w.domain, MinFees: maps.Clone(w.minFees), NextBatch: 1, Kinds: w.kinds}
}

// lookup returns accounts that the caller may change.
func (w *world) lookup() Accounts { return maps.Clone(w.accounts) }
