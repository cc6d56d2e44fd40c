package schnorr_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
)

func wallet(t *testing.T, seed string) (settle.Address, schnorr.WalletSigner) {
	t.Helper()
	secret := sha256.Sum256([]byte(seed))
	key, err := crypto.ToECDSA(secret[:])
	require.NoError(t, err)
	return settle.Address(crypto.PubkeyToAddress(key.PublicKey)), func(_ context.Context, d schnorr.Derivation) ([]byte, error) {
		digest := d.Digest()
		return crypto.Sign(digest[:], key)
	}
}

// go-ethereum hashes the JSON that a wallet is given to our digest.
func TestDerivationDigest(t *testing.T) {
	address, _ := wallet(t, "a")
	for _, chain := range []uint64{1, 1337, 1<<53 - 1} {
		d := schnorr.Derivation{ChainID: chain, Rollup: settle.Address{1, 2, 3}, Wallet: address}
		text, err := d.TypedData()
		require.NoError(t, err)
		var typed apitypes.TypedData
		require.NoError(t, json.Unmarshal(text, &typed))
		want, _, err := apitypes.TypedDataAndHash(typed)
		require.NoError(t, err)
		got := d.Digest()
		require.Equal(t, want, got[:])
	}
}

func TestDeriveKey(t *testing.T) {
	address, sign := wallet(t, "a")
	d := schnorr.Derivation{ChainID: 1, Rollup: settle.Address{1}, Wallet: address}
	ctx := context.Background()
	key, err := schnorr.DeriveKey(ctx, d, sign)
	require.NoError(t, err)
	again, err := schnorr.DeriveKey(ctx, d, func(ctx context.Context, d schnorr.Derivation) ([]byte, error) {
		sig, err := sign(ctx, d)
		sig[64] += 27 // the other convention for v
		return sig, err
	})
	require.NoError(t, err)
	require.Equal(t, key, again)
	require.Equal(t, "0x2a070a7ccab3025cd662620694bda000db860c85dc85d376a94d18b3bcbba955", key.Public().String(),
		"the derivation changed: every user would lose their key")

	seen := map[string]bool{key.Public().String(): true}
	otherAddress, otherSign := wallet(t, "b")
	for _, other := range []struct {
		d    schnorr.Derivation
		sign schnorr.WalletSigner
	}{
		{schnorr.Derivation{ChainID: 2, Rollup: d.Rollup, Wallet: address}, sign},
		{schnorr.Derivation{ChainID: 1, Rollup: settle.Address{2}, Wallet: address}, sign},
		{schnorr.Derivation{ChainID: 1, Rollup: d.Rollup, Wallet: otherAddress}, otherSign},
	} {
		k, err := schnorr.DeriveKey(ctx, other.d, other.sign)
		require.NoError(t, err)
		require.False(t, seen[k.Public().String()], "one key for two purposes")
		seen[k.Public().String()] = true
	}
}

func TestDeriveKeyRefuses(t *testing.T) {
	address, sign := wallet(t, "a")
	d := schnorr.Derivation{ChainID: 1, Rollup: settle.Address{1}, Wallet: address}
	ctx := context.Background()
	change := func(f func([]byte) []byte) schnorr.WalletSigner {
		return func(ctx context.Context, d schnorr.Derivation) ([]byte, error) {
			sig, err := sign(ctx, d)
			return f(sig), err
		}
	}
	_, otherSign := wallet(t, "b")
	for name, bad := range map[string]schnorr.WalletSigner{
		"short":       change(func(b []byte) []byte { return b[:64] }),
		"v":           change(func(b []byte) []byte { b[64] = 2; return b }),
		"v + 4":       change(func(b []byte) []byte { b[64] += 31; return b }), // the same parity and overflow
		"other key":   otherSign,
		"zero":        change(func(b []byte) []byte { clear(b); return b }),
		"changed s":   change(func(b []byte) []byte { b[40] ^= 1; return b }),
		"high s":      change(highS),
		"contract":    change(func([]byte) []byte { return make([]byte, 200) }),
		"other chain": func(ctx context.Context, d schnorr.Derivation) ([]byte, error) { d.ChainID++; return sign(ctx, d) },
	} {
		_, err := schnorr.DeriveKey(ctx, d, bad)
		require.ErrorIs(t, err, schnorr.ErrWalletSignature, name)
	}

	// A wallet with random nonces: both signatures are its own, yet they differ.
	secret := sha256.Sum256([]byte("a"))
	_, err := schnorr.DeriveKey(ctx, d, func(_ context.Context, d schnorr.Derivation) ([]byte, error) {
		return signRandomly(t, secret[:], d.Digest()), nil
	})
	require.ErrorIs(t, err, schnorr.ErrWalletNotDeterministic)

	declined := errors.New("user declined")
	_, err = schnorr.DeriveKey(ctx, d, func(context.Context, schnorr.Derivation) ([]byte, error) { return nil, declined })
	require.ErrorIs(t, err, declined)
}

var secpOrder, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

func highS(sig []byte) []byte {
	s := new(big.Int).SetBytes(sig[32:64])
	s.Sub(secpOrder, s).FillBytes(sig[32:64])
	sig[64] ^= 1
	return sig
}

// signRandomly is ECDSA with a random nonce and low s.
func signRandomly(t *testing.T, secret []byte, digest [32]byte) []byte {
	t.Helper()
	k, err := rand.Int(rand.Reader, secpOrder)
	require.NoError(t, err)
	x, y := crypto.S256().ScalarBaseMult(k.Bytes())
	sig := make([]byte, 65)
	x.FillBytes(sig[:32]) // x < order but for 2^-128
	s := new(big.Int).Mul(x, new(big.Int).SetBytes(secret))
	s.Add(s, new(big.Int).SetBytes(digest[:]))
	s.Mul(s, new(big.Int).ModInverse(k, secpOrder)).Mod(s, secpOrder).FillBytes(sig[32:64])
	sig[64] = byte(y.Bit(0))
	if s.Cmp(new(big.Int).Rsh(secpOrder, 1)) > 0 {
		return highS(sig)
	}
	return sig
}
