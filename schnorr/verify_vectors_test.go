package schnorr_test

import (
	"context"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/golden"
	"github.com/zksettle/settle/schnorr"
)

// verifyVector is a signature, good or bad, over the message of a signing vector.
type verifyVector struct {
	Name      string         `json:"name"`
	Vector    int            `json:"vector"` // whose message is signed
	Public    settle.Element `json:"public"`
	Signature string         `json:"signature"`
	Valid     bool           `json:"valid"`
}

// deriveVector is a key from a wallet.
type deriveVector struct {
	ChainID   uint64         `json:"chain_id"`
	Rollup    settle.Address `json:"rollup"`
	Wallet    settle.Address `json:"wallet"`
	Statement string         `json:"statement"`
	Digest    settle.Hash    `json:"digest"`
	Signature string         `json:"signature"` // r ‖ s ‖ v of the wallet
	SecretKey settle.Element `json:"secret_key"`
	Public    settle.Element `json:"public"`
}

type otherVectors struct {
	Verify []verifyVector `json:"verify"`
	Derive []deriveVector `json:"derive"`
}

func makeVerifyVectors(t *testing.T) (out []verifyVector) {
	for n := range 6 {
		v := makeVector(t, n)
		msg, public := v.message(), new(big.Int).SetBytes(v.Public[:])
		rx, s, sk := integer(v.Signature.RX), new(big.Int).SetBytes(v.Signature.S[:]), new(big.Int).SetBytes(v.SecretKey[:])
		if base.times(sk).y.Bit(0) == 1 {
			sk.Sub(orderQ, sk)
		}
		add := func(name string, public, rx, s *big.Int) {
			var b [schnorr.SignatureSize]byte
			rx.FillBytes(b[:32])
			s.FillBytes(b[32:])
			sig, err := schnorr.ParseSignature(b[:])
			if err == nil {
				err = schnorr.Verify(element(public), msg, sig)
			}
			require.Equal(t, err == nil, rx.Cmp(fieldR) < 0 && verifyNaive(public, rx, s, msg), name)
			out = append(out, verifyVector{
				Name: name, Vector: n, Public: settle.Element(public.FillBytes(make([]byte, 32))), Signature: "0x" + hex.EncodeToString(b[:]), Valid: err == nil,
			})
		}
		flip := func(x *big.Int, bit int) *big.Int { return new(big.Int).SetBit(x, bit, 1-x.Bit(bit)) }
		// withNonce is what the key's owner can make of a nonce point of either sign.
		withNonce := func(name string, k *big.Int) {
			r := base.times(k)
			e := endomorphismNaive(challengeNaive(r.x, public, msg))
			e.Mul(e, sk).Add(e, k)
			add(name, public, r.x, e.Mod(e, orderQ))
		}
		add("good", public, rx, s)
		add("s + q", public, rx, new(big.Int).Add(s, orderQ))
		add("s of 0", public, rx, new(big.Int))
		add("s of q", public, rx, orderQ)
		add("-s", public, rx, new(big.Int).Sub(orderQ, s))
		add("s + 1", public, rx, new(big.Int).Add(s, big.NewInt(1)))
		add("a bit of R.x", public, flip(rx, 17*n), s)
		add("a bit of s", public, rx, flip(s, 17*n))
		add("R.x + r", public, new(big.Int).Add(rx, fieldR), s)
		add("a bit of the key", flip(public, 3+n), rx, s)
		add("key 0", new(big.Int), rx, s)
		e := endomorphismNaive(challengeNaive(rx, public, msg))
		add("R at infinity", public, rx, e.Mod(e.Mul(e, sk), orderQ))
		k := big.NewInt(int64(1000 + n))
		withNonce("a small nonce", k) // valid where R has even y
		withNonce("its negative", new(big.Int).Sub(orderQ, k))
	}
	return out
}

func makeDeriveVectors(t *testing.T) (out []deriveVector) {
	address, sign := wallet(t, "a")
	for _, d := range []schnorr.Derivation{
		{ChainID: 1, Rollup: settle.Address{1}, Wallet: address},
		{ChainID: 31337, Rollup: settle.Address{0: 0xfe, 19: 0x01}, Wallet: address},
	} {
		raw, err := sign(context.Background(), d)
		require.NoError(t, err)
		key, err := schnorr.DeriveKey(context.Background(), d, sign)
		require.NoError(t, err)
		if raw[64] < 27 {
			raw[64] += 27
		}
		out = append(out, deriveVector{
			ChainID: d.ChainID, Rollup: d.Rollup, Wallet: d.Wallet, Statement: schnorr.DerivationStatement, Digest: d.Digest(),
			Signature: "0x" + hex.EncodeToString(raw), SecretKey: key.Bytes(), Public: key.Public().Element(),
		})
	}
	return out
}

func TestVerifyAndDeriveVectors(t *testing.T) {
	made := otherVectors{makeVerifyVectors(t), makeDeriveVectors(t)}
	golden.Hold(t, "testdata/verify.json", golden.Lines(t, made), *update)
}
