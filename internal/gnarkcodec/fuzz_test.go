package gnarkcodec_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"testing"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/verifier"
)

// FuzzKeyFiles reads bytes as a verifying key, a proving key and a proving key's dump.
// What is read encodes to the same bytes, and memory is in proportion. A verifying key's
// words are those of the file, and one that passes CheckKey can be used. Constraint
// systems are left out: gnark takes the inside of their sections on trust, for a hash.
func FuzzKeyFiles(f *testing.F) {
	committed, err := os.ReadFile("../../verifier/contracts/testdata/setup.vk")
	require.NoError(f, err)
	f.Add(committed)
	f.Add(committed[:len(committed)-1])
	f.Add([]byte{})
	for _, at := range []int{0, 63, 64, 576, 579, 580, 900, 904, 908, 912} {
		changed := bytes.Clone(committed)
		changed[at] ^= 0x40
		f.Add(changed)
	}
	p, err := toycircuit.Ceremony()
	require.NoError(f, err)
	pk := p.ProvingKey.(*groth16bn254.ProvingKey)
	var raw, dump bytes.Buffer
	_, err = pk.WriteRawTo(&raw)
	require.NoError(f, err)
	require.NoError(f, pk.WriteDump(&dump))
	for _, file := range [][]byte{raw.Bytes(), dump.Bytes()} {
		f.Add(file)
		f.Add(append(bytes.Clone(file), 0))
		for _, at := range []int{0, 7, 8, 15, 168, 176, len(file) / 2} {
			changed := bytes.Clone(file)
			changed[at] ^= 3
			f.Add(changed)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		size := int64(len(file))
		requireSame(t, file, 2<<20, func() (func(io.Writer) (int64, error), error) {
			vk, err := gnarkcodec.VerifyingKey(file)
			if err == nil {
				requireWords(t, vk, file)
			}
			return vk.WriteRawTo, err
		})
		requireSame(t, file, 4<<20, func() (func(io.Writer) (int64, error), error) {
			pk, err := gnarkcodec.ProvingKey(bytes.NewReader(file), size)
			return pk.WriteRawTo, err
		})
		requireSame(t, file, 4<<20, func() (func(io.Writer) (int64, error), error) {
			pk, err := gnarkcodec.ProvingKeyDump(bytes.NewReader(file), size)
			return func(w io.Writer) (int64, error) { return 0, pk.WriteDump(w) }, err
		})
	})
}

func requireSame(t *testing.T, file []byte, slack int, read func() (func(io.Writer) (int64, error), error)) {
	t.Helper()
	var write func(io.Writer) (int64, error)
	var err error
	require.Less(t, heap.Allocated(func() { write, err = read() }), uint64(slack+64*len(file)))
	if err != nil {
		require.ErrorIs(t, err, gnarkcodec.ErrEncoding)
		return
	}
	var again bytes.Buffer
	_, err = write(&again)
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, again.Bytes()), "it encodes to other bytes")
}

// requireWords takes the words of a key out of its file: α; β, γ, δ; K; G, GSigmaNeg.
func requireWords(t *testing.T, vk *groth16bn254.VerifyingKey, file []byte) {
	t.Helper()
	parts := bytes.Join([][]byte{file[:64], file[128:256], file[256:384], file[448:576], file[580:900], file[912:]}, nil)
	words, err := provingkeys.Words(vk)
	require.NoError(t, err)
	for i := range words {
		b := words[i].Bytes()
		require.Equal(t, parts[32*i:32*i+32], b[:], "word %d", i)
	}
	require.Len(t, parts, 32*len(words))
	hash, err := provingkeys.KeyHash(vk)
	require.NoError(t, err)
	require.Equal(t, settle.KeyHash(sha256.Sum256(parts)), hash)
	key, err := verifier.NewKey(settle.CircuitTransition, "toy", vk)
	if bad := provingkeys.CheckKey(vk); bad != nil {
		require.ErrorIs(t, bad, provingkeys.ErrBadKey)
		require.ErrorIs(t, err, provingkeys.ErrBadKey)
		return
	}
	require.NoError(t, err)
	require.Equal(t, hash, key.Hash)
}
