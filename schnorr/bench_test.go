package schnorr_test

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/schnorr"
)

func signedItems(tb testing.TB, n int) []schnorr.Signed {
	tb.Helper()
	items := make([]schnorr.Signed, n)
	for i := range items {
		sk, err := schnorr.GenerateKey(nil)
		require.NoError(tb, err)
		msg := schnorr.Message{M: fr.NewElement(uint64(i)), Domain: fr.NewElement(7)}
		sig, err := schnorr.Sign(sk, msg, nil)
		require.NoError(tb, err)
		items[i] = schnorr.Signed{Public: sk.Public().X, Message: msg, Signature: sig}
	}
	return items
}

func BenchmarkSign(b *testing.B) {
	sk, err := schnorr.GenerateKey(nil)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := schnorr.Sign(sk, schnorr.Message{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	item := signedItems(b, 1)[0]
	for b.Loop() {
		if err := schnorr.Verify(item.Public, item.Message, item.Signature); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verifications/s")
}

func BenchmarkVerifyBatch(b *testing.B) {
	for _, n := range []int{16, 128, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			items := signedItems(b, n)
			for b.Loop() {
				if invalid, err := schnorr.VerifyBatch(items, nil); err != nil || invalid != nil {
					b.Fatal(invalid, err)
				}
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "verifications/s")
		})
	}
}
