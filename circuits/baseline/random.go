package baseline

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/twistededwards/eddsa"

	"github.com/zksettle/settle"
)

// Random returns a batch of n valid transfers between random accounts of a rollup of
// the given size at depth Depth, the same one for the same arguments. Account 0 is
// the operator.
func Random(seed uint64, accounts, n int) (*Batch, error) {
	w, err := newWorld(seed, Depth, accounts)
	if err != nil {
		return nil, err
	}
	transfers := make([]Transfer, n)
	for i := range transfers {
		from, to := w.index(), w.index()
		if transfers[i], err = w.transfer(from, to, w.random.Uint64N(1_000_000), uint16(w.random.Uint64N(1000))); err != nil {
			return nil, err
		}
	}
	return w.rollup.Apply(transfers)
}

// world is a rollup whose keys are known. Seeded keys protect nothing.
type world struct {
	rollup *Rollup
	keys   []*eddsa.PrivateKey
	nonces map[settle.AccountIndex]settle.Nonce // of transfers that were signed
	random *rand.Rand
}

const worldToken settle.TokenID = 7

func newWorld(seed uint64, depth, accounts int) (*world, error) {
	if accounts < 1 || accounts > 1<<depth {
		return nil, settle.Refuse(settle.CodeInvalidField, "%d accounts, expected 1 to %d", accounts, 1<<depth)
	}
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	source := rand.NewChaCha8(key)
	w := &world{nonces: map[settle.AccountIndex]settle.Nonce{}, random: rand.New(source)}
	list := make([]Account, accounts)
	for i := range list {
		private, err := eddsa.GenerateKey(source)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i, err)
		}
		w.keys = append(w.keys, private)
		list[i] = Account{Owner: private.PublicKey, Token: worldToken, Balance: settle.NewAmount(1 << 50)}
	}
	domain := fr.NewElement(1337)
	var err error
	w.rollup, err = newRollup(depth, domain, 0, list)
	return w, err
}

func (w *world) index() settle.AccountIndex {
	return settle.AccountIndex(w.random.IntN(len(w.keys)))
}

// transfer signs the next transfer of an account.
func (w *world) transfer(from, to settle.AccountIndex, amount uint64, fee uint16) (Transfer, error) {
	t := Transfer{From: from, To: to, Token: worldToken, Amount: amount, Fee: fee, Nonce: w.nonces[from]}
	w.nonces[from]++
	return t, t.Sign(w.rollup.domain, w.keys[from])
}
