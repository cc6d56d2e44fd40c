package schnorr_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/schnorr"
)

func FuzzParseSignature(f *testing.F) {
	item := signedItems(f, 1)[0]
	b := item.Signature.Bytes()
	f.Add(b[:])
	f.Add(make([]byte, 64))
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, in []byte) {
		sig, err := schnorr.ParseSignature(in)
		if err != nil {
			require.ErrorIs(t, err, schnorr.ErrSignatureEncoding)
			return
		}
		out := sig.Bytes()
		require.Equal(t, in, out[:], "two encodings of one signature")
		var text schnorr.Signature
		require.NoError(t, text.UnmarshalText([]byte(sig.String())))
		require.Equal(t, sig, text)
	})
}

func FuzzParsePublicKey(f *testing.F) {
	item := signedItems(f, 1)[0]
	b := item.Public.Bytes()
	f.Add(b[:])
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, in []byte) {
		key, err := schnorr.ParsePublicKey(in)
		if err != nil {
			require.ErrorIs(t, err, schnorr.ErrPublicKey)
			return
		}
		out := key.Bytes()
		require.Equal(t, in, out[:])
		_, ok := liftNaive(integer(key.X))
		require.True(t, ok)
	})
}

func FuzzSignatureText(f *testing.F) {
	item := signedItems(f, 1)[0]
	f.Add(item.Signature.String())
	f.Add(strings.ToUpper(item.Signature.String()[2:]))
	f.Add("0x" + strings.ToUpper(item.Signature.String()[2:]))
	f.Add("0x")
	f.Add("")
	f.Fuzz(func(t *testing.T, in string) {
		var sig schnorr.Signature
		if err := sig.UnmarshalText([]byte(in)); err != nil {
			require.ErrorIs(t, err, schnorr.ErrSignatureEncoding)
			return
		}
		require.Equal(t, strings.ToLower(in), sig.String())
	})
}
