package baseline

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	tedwards "github.com/consensys/gnark-crypto/ecc/twistededwards"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/native/twistededwards"
	poseidonhash "github.com/consensys/gnark/std/hash/poseidon2"
	"github.com/consensys/gnark/std/signature/eddsa"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// TestAttacks breaks one rule at a time, all else fitting together: refused with the
// rule, accepted without it.
func TestAttacks(t *testing.T) {
	most := settle.Amount{Hi: 1<<64 - 1, Lo: 1<<64 - 1}
	attacks := map[string]func(t *testing.T) (*Circuit, fr.Element){
		"sender's new balance": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t, func(a []Account) { a[1].Balance = settle.NewAmount(1009) })
			return w.assign(t, w.forge(w.mustTransfer(t, 1, 2, 1000, 10)))
		},
		"receiver's new balance": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t, func(a []Account) { a[2].Balance = most })
			return w.assign(t, w.forge(w.mustTransfer(t, 1, 2, 1, 10)))
		},
		"operator's new balance": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t, func(a []Account) { a[0].Balance = most })
			return w.assign(t, w.forge(w.mustTransfer(t, 1, 2, 1, 1)))
		},
		// The carry of the last nonce is a unit of balance.
		"sender's new nonce": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t, func(a []Account) { a[1].Nonce = settle.MaxNonce })
			return w.assign(t, w.forge(w.mustTransfer(t, 1, 2, 1, 1)))
		},
		// The receiver's last unit is read as 2^40 nonces.
		"nonce width": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t)
			f := w.forge(w.mustTransfer(t, 1, 2, 1, 1))
			f.receiver.nonce.Add(f.receiver.nonce, powerOfTwo(settle.NonceBits))
			f.receiver.balance.Sub(f.receiver.balance, big.NewInt(1))
			return w.assign(t, f)
		},
		// A nonce is read as part of the token, so that nonce 0 can be signed again. The
		// token's overflow is a unit of the amount in the message.
		"token width": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t, func(a []Account) {
				for i := range a {
					a[i].Nonce = 1
				}
			})
			tr := Transfer{From: 1, To: 2, Token: worldToken, Amount: 1000, Fee: 10}
			require.NoError(t, tr.Sign(w.rollup.domain, w.keys[1]))
			tr.Amount--
			f := w.forge(tr)
			f.token.Add(f.token, powerOfTwo(settle.TokenBits))
			for _, said := range []reading{f.sender, f.receiver, f.operator} {
				said.nonce.SetInt64(0)
			}
			return w.assign(t, f)
		},
		"path": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t)
			f := w.forge(w.mustTransfer(t, 1, 2, 1000, 10))
			f.sender.balance.Lsh(f.sender.balance, 10)
			return w.assign(t, f)
		},
		"signature": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t)
			tr := w.mustTransfer(t, 1, 2, 1000, 10)
			tr.To = 3
			return w.assign(t, w.forge(tr))
		},
		"owner": func(t *testing.T) (*Circuit, fr.Element) {
			w := mustWorld(t)
			tr := w.mustTransfer(t, 1, 2, 1000, 10)
			require.NoError(t, tr.Sign(w.rollup.domain, w.keys[2]))
			c, root := w.assign(t, w.forge(tr))
			c.Transfers[0].Key.A = twistededwards.Point{X: w.keys[2].PublicKey.A.X, Y: w.keys[2].PublicKey.A.Y}
			return c, root
		},
	}
	for rule, attack := range attacks {
		t.Run(rule, func(t *testing.T) {
			c, root := attack(t)
			require.NoError(t, transition(c, root, rule), "the forgery is at fault elsewhere too")
			require.Error(t, transition(c, root, ""))
		})
	}
}

// TestRefusedWitnesses: what no rule has a name for.
func TestRefusedWitnesses(t *testing.T) {
	for name, mutate := range map[string]func(*Circuit){
		"sibling of the sender":   func(c *Circuit) { c.Transfers[0].Sender.Path[2] = 1 },
		"sibling of the receiver": func(c *Circuit) { c.Transfers[0].Receiver.Path[0] = 1 },
		"sibling of the operator": func(c *Circuit) { c.Operator.Path[3] = 1 },
		"index of 5 bits":         func(c *Circuit) { c.Transfers[0].Receiver.Index = 2 + 1<<depth },
		"S of the signature":      func(c *Circuit) { c.Transfers[0].Signature.S = 5 },
		// The same number, packed: the message's signature holds.
		"amount of 41 bits": func(c *Circuit) { c.Transfers[0].Amount, c.Transfers[0].Fee = 1000+1<<settle.AmountBits, 9 },
		"fee of 17 bits": func(c *Circuit) {
			c.Transfers[0].Fee, c.Transfers[0].Sender.Nonce = 10+1<<settle.FeeBits, -1
		},
		"other token": func(c *Circuit) { c.Token = 8 },
	} {
		b := mustWorld(t).batch(t, pair{1, 2})
		c := mustAssign(t, b)
		require.NoError(t, transition(c, b.NewRoot, ""))
		mutate(c)
		require.Error(t, transition(c, b.NewRoot, ""), name)
	}
}

// TestReplay: a batch does not apply to its own result.
func TestReplay(t *testing.T) {
	w := mustWorld(t)
	b := w.batch(t, pair{1, 2})
	c, root := w.assign(t, w.forge(b.Steps[0].Transfer))
	require.Error(t, transition(c, root, ""))
	require.NoError(t, transition(c, root, "signature"))
}

// anyQuotient divides as constraints do: 0/0 is whatever the prover says, here a
// square root of -1, which is what doubling (0, 0) on to the neutral point takes.
type anyQuotient struct{ frontend.API }

func (a anyQuotient) DivUnchecked(x, y frontend.Variable) frontend.Variable {
	zero := func(v frontend.Variable) bool {
		switch n := v.(type) { // what gnark's test engine computes with
		case int:
			return n == 0
		case *big.Int:
			return n.Sign() == 0
		}
		return false
	}
	if zero(x) && zero(y) {
		root := new(big.Int).ModSqrt(big.NewInt(-1), ecc.BN254.ScalarField())
		return a.Add(root, 0)
	}
	return a.API.DivUnchecked(x, y)
}

type signatureCircuit struct {
	Message   frontend.Variable
	Key       eddsa.PublicKey
	Signature eddsa.Signature
	without   string
}

func (c *signatureCircuit) Define(api frontend.API) error {
	curve, err := twistededwards.NewEdCurve(anyQuotient{api}, tedwards.BN254)
	if err != nil {
		return err
	}
	hasher, err := poseidonhash.New(api)
	if err != nil {
		return err
	}
	g := &gadgets{api: api, hasher: hasher, curve: curve, without: c.without}
	return g.verify(c.Signature, c.Message, c.Key)
}

// TestZeroSigns: gnark's verifier takes R = (0, 0) for a signature of anything by
// anybody, as doubling that point divides 0 by 0. Hence R is checked on the curve.
func TestZeroSigns(t *testing.T) {
	key := mustWorld(t).keys[1].PublicKey.A
	forged := &signatureCircuit{
		Message:   12345,
		Key:       eddsa.PublicKey{A: twistededwards.Point{X: key.X, Y: key.Y}},
		Signature: eddsa.Signature{R: twistededwards.Point{X: 0, Y: 0}, S: 1},
	}
	const rule = "R on the curve"
	require.NoError(t, test.IsSolved(&signatureCircuit{without: rule}, forged, ecc.BN254.ScalarField()))
	require.Error(t, test.IsSolved(&signatureCircuit{}, forged, ecc.BN254.ScalarField()))
}
