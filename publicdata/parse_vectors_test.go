package publicdata_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/golden"
	"github.com/zksettle/settle/publicdata"
)

// parseVectors are words that Parse reads or refuses, most of them a base with one
// word changed. reference/ reads them too.
type parseVectors struct {
	Bases [][]settle.Element `json:"bases"`
	Cases []parseCase        `json:"cases"`
}

type parseCase struct {
	Base   int              `json:"base"`
	At     int              `json:"at"`  // the words from here on are replaced,
	Cut    int              `json:"cut"` // so many of them,
	Words  []settle.Element `json:"words"`
	Parsed bool             `json:"parsed"`
}

func parses(words []fr.Element) bool {
	d, err := publicdata.Parse(words)
	return err == nil && slices.Equal(d.Words(), words)
}

func makeParseVectors(t *testing.T) (v parseVectors) {
	data := vectorData()
	var bases [][]fr.Element
	for _, name := range []string{"empty", "two transfers", "all kinds", "L1 operations", "opens and exits"} {
		bases = append(bases, data[name].Words())
		v.Bases = append(v.Bases, encoded(bases[len(bases)-1]))
	}
	change := func(base, at, cut int, words ...fr.Element) {
		whole := slices.Concat(bases[base][:at], words, bases[base][at+cut:])
		_, err := publicdata.Parse(whole)
		require.Equal(t, err == nil, parses(whole), "what is read is what was written")
		v.Cases = append(v.Cases, parseCase{base, at, cut, encoded(words), err == nil})
	}
	source := rand.NewPCG(3, 4)
	var largest fr.Element
	largest.SetInt64(-1)
	for i, base := range bases {
		change(i, 0, 0)
		change(i, len(base), 0, fr.Element{})
		change(i, len(base)-1, 1)
		for at, word := range base {
			change(i, at, 1, fr.Element{})
			change(i, at, 1, largest)
			for range 8 { // one bit, more often of the fields than above them
				bit := int(source.Uint64() % 252)
				if source.Uint64()%2 == 0 {
					bit %= 24
				}
				flipped := word.BigInt(new(big.Int))
				flipped.SetBit(flipped, bit, 1-flipped.Bit(bit))
				if flipped.Cmp(fr.Modulus()) < 0 {
					var e fr.Element
					change(i, at, 1, *e.SetBigInt(flipped))
				}
			}
		}
	}
	swapped := []fr.Element{bases[2][6], bases[2][5]}
	change(2, 5, 2, swapped...)                      // fee accounts that are not increasing
	change(2, 5, 2, bases[2][5], bases[2][5])        // one of them twice
	change(2, 3, 1, bases[2][1])                     // a wide domain
	change(3, 11, 3, slices.Clone(bases[3][5:8])...) // a third operation like the first
	return v
}

func encoded(words []fr.Element) []settle.Element {
	out := make([]settle.Element, len(words))
	for i := range words {
		out[i] = words[i].Bytes()
	}
	return out
}

func TestParseVectors(t *testing.T) {
	made := makeParseVectors(t)
	read := 0
	for _, c := range made.Cases {
		if c.Parsed {
			read++
		}
	}
	t.Logf("%d cases, %d are read", len(made.Cases), read)
	require.Greater(t, read, len(made.Cases)/10)
	require.Greater(t, len(made.Cases)-read, len(made.Cases)/10)
	golden.Hold(t, "testdata/parse.json", golden.Lines(t, made), *update)
}
