package publicdata_test

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle/publicdata"
)

// drawWords is the words of a batch with random records of full width and true counts.
func drawWords(t *rapid.T) []fr.Element {
	var n [5]int
	var counts []publicdata.Field
	for i := range n {
		n[i] = rapid.IntRange(0, 9).Draw(t, "count")
		counts = append(counts, publicdata.U(uint64(n[i]), 32))
	}
	words := make([]fr.Element, publicdata.Length(n[0], n[1], n[2], n[3], n[4]))
	for i := range words {
		words[i].MustSetRandom()
	}
	words[4] = publicdata.Pack(counts...)
	return words
}

func TestSplitUndoesConcatenation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawWords), 1, 5).Draw(t, "batches")
		var all []fr.Element
		for _, words := range want {
			all = append(all, words...)
		}
		for _, words := range want {
			first, rest, err := publicdata.Split(all)
			require.NoError(t, err)
			require.Equal(t, words, first)
			all = rest
		}
		require.Empty(t, all)
	})
}

// Batches that have nothing but a header stand one behind the other too.
func TestSplitOfEmptyBatches(t *testing.T) {
	words := make([]fr.Element, 2*publicdata.HeaderWords)
	words[0].SetOne()
	first, rest, err := publicdata.Split(words)
	require.NoError(t, err)
	require.Equal(t, words[:publicdata.HeaderWords], first)
	first, rest, err = publicdata.Split(rest)
	require.NoError(t, err)
	require.Equal(t, words[publicdata.HeaderWords:], first)
	require.Empty(t, rest)
}

func TestSplitRefusesWhatIsCutOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := drawWords(t)
		cut := rapid.IntRange(0, len(words)-1).Draw(t, "length")
		_, _, err := publicdata.Split(words[:cut])
		require.ErrorIs(t, err, publicdata.ErrMalformed)
	})
	words := make([]fr.Element, 9)
	words[4] = publicdata.Pack(publicdata.U(1, 32), publicdata.U(0, 64), publicdata.U(0, 64), publicdata.U(1, 1))
	_, _, err := publicdata.Split(words)
	require.ErrorIs(t, err, publicdata.ErrMalformed, "bits above the counts")
	words[4].SetInt64(-1)
	_, _, err = publicdata.Split(words)
	require.ErrorIs(t, err, publicdata.ErrMalformed, "the largest counts")
}
