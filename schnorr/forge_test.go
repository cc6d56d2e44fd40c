package schnorr_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
)

// With R.x = 0 and s = e·sk, s·G - e·A is the point at infinity, which affine
// coordinates give as (0, 0): x is R.x, and y is even. No point has x = 0, so no circuit
// could be solved with it, and the batch that holds it could never be proven.
func TestNonceAtInfinityIsRefused(t *testing.T) {
	items := signedItems(t, 9)
	forged := schnorr.Message{M: fr.NewElement(3), ToL1: fr.NewElement(4)}
	for seed := int64(1); seed <= 4; seed++ {
		key, err := schnorr.NewPrivateKeyFromInt(big.NewInt(seed))
		require.NoError(t, err)
		public, secret := key.Public().X, key.Bytes()
		s := endomorphismNaive(challengeNaive(new(big.Int), integer(public), forged))
		s.Mul(s, new(big.Int).SetBytes(secret[:])).Mod(s, orderQ)
		var sig schnorr.Signature
		s.FillBytes(sig.S[:])
		err = schnorr.Verify(public, forged, sig)
		require.ErrorIs(t, err, schnorr.ErrSignature)
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok)
		require.Equal(t, settle.CodeBadSignature, refusal.Code)
		require.False(t, verifyNaive(integer(public), new(big.Int), s, forged))
		items[2*seed] = schnorr.Signed{Public: public, Message: forged, Signature: sig}
	}
	invalid, err := schnorr.VerifyBatch(items, nil)
	require.NoError(t, err)
	require.Len(t, invalid, len(items))
	for i, bad := range invalid {
		require.Equal(t, i > 0 && i%2 == 0, bad != nil, "item %d", i)
	}
}

// oneBit is random bytes that are all 0 but for one bit.
type oneBit int

func (bit oneBit) Read(b []byte) (int, error) {
	clear(b)
	b[bit/8] = 1 << (bit % 8)
	return len(b), nil
}

// A key is drawn from every one of the 384 bits that are read for it.
func TestEveryBitOfARandomKeyCounts(t *testing.T) {
	seen := map[fr.Element]oneBit{}
	for bit := range oneBit(384) {
		key, err := schnorr.GenerateKey(bit)
		require.NoError(t, err)
		other, twice := seen[key.Public().X]
		require.False(t, twice, "bits %d and %d give one key", bit, other)
		seen[key.Public().X] = bit
	}
}

// coefficients is random bytes for a batch: all ones but for one bit of one item.
type coefficients struct{ item, bit int }

func (c coefficients) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0xff
	}
	b[16*c.item+c.bit/8] ^= 1 << (c.bit % 8)
	return len(b), nil
}

// Errors of s that cancel under equal coefficients do not where the coefficients differ
// in one bit, whichever of the 128 it is.
func TestEveryBitOfABatchCoefficientCounts(t *testing.T) {
	items := signedItems(t, 8)
	shift := func(i int, by int64) {
		s := new(big.Int).SetBytes(items[i].Signature.S[:])
		s.Add(s, big.NewInt(by)).Mod(s, orderQ).FillBytes(items[i].Signature.S[:])
	}
	shift(3, 1)
	shift(6, -1)
	invalid, err := schnorr.VerifyBatch(items, coefficients{0, 0})
	require.NoError(t, err)
	require.Nil(t, invalid, "under equal coefficients the errors should cancel: this test shows nothing")
	for bit := range 128 {
		for _, item := range []int{3, 6} {
			invalid, err := schnorr.VerifyBatch(items, coefficients{item, bit})
			require.NoError(t, err)
			require.Len(t, invalid, len(items), "bit %d", bit)
			require.Error(t, invalid[3])
			require.Error(t, invalid[6])
		}
	}
}

// A key that is not on the curve lifts to nothing. Were that taken for a point, it would
// be infinity, and s·G = R for a nonce of the forger's own would do.
func TestBatchRefusesKeysOffTheCurve(t *testing.T) {
	items := signedItems(t, 8)
	off := big.NewInt(1)
	for _, on := liftNaive(off); on; _, on = liftNaive(off) {
		off.Add(off, big.NewInt(1))
	}
	k := big.NewInt(12345)
	r := base.times(k)
	if r.y.Bit(0) == 1 {
		k.Sub(orderQ, k)
	}
	items[5].Public, items[5].Signature.RX = element(off), element(r.x)
	k.FillBytes(items[5].Signature.S[:])
	invalid, err := schnorr.VerifyBatch(items, nil)
	require.NoError(t, err)
	require.Len(t, invalid, len(items))
	for i, bad := range invalid {
		if i != 5 {
			require.NoError(t, bad)
		}
	}
	require.ErrorIs(t, invalid[5], schnorr.ErrPublicKey)
}
