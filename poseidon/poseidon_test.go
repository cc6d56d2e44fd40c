package poseidon_test

import (
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

var update = flag.Bool("update", false, "rewrite testdata")

// naives derives the reference of each width once: 2 s for width 8.
var naives = map[int]func() *naivePermutation{
	4: sync.OnceValue(func() *naivePermutation { return newNaive(4, poseidon.PartialRounds4) }),
	8: sync.OnceValue(func() *naivePermutation { return newNaive(8, poseidon.PartialRounds8) }),
}

// The constants in use are those that the authors' script derives.
func TestConstantsAreDerived(t *testing.T) {
	for width, partial := range map[int]int{4: poseidon.PartialRounds4, 8: poseidon.PartialRounds8} {
		n := naives[width]()
		used := poseidon2.NewParameters(width, poseidon.FullRounds, partial)
		require.Len(t, used.RoundKeys, len(n.constants))
		for round, constants := range n.constants {
			for lane, c := range constants {
				got := new(big.Int)
				if lane < len(used.RoundKeys[round]) {
					used.RoundKeys[round][lane].BigInt(got)
				}
				require.Equal(t, c.String(), got.String(), "width %d, round %d, lane %d", width, round, lane)
			}
		}
		for i := range width {
			less := new(big.Int).Sub(n.internal[i][i], big.NewInt(1))
			require.Equal(t, less.String(), used.DiagM1[i].BigInt(new(big.Int)).String(), "width %d, diagonal %d", width, i)
		}
	}
}

// Known answers of the authors' implementation for the input 0, 1, 2, …: all
// lanes at width 4, the outer ones at width 8.
func TestKnownAnswers(t *testing.T) {
	h := poseidon.New()
	x4, x8 := [4]fr.Element{}, [8]fr.Element{}
	for i := range x8 {
		x8[i].SetUint64(uint64(i))
	}
	copy(x4[:], x8[:4])
	h.Permute4(&x4)
	h.Permute8(&x8)
	for i, want := range []string{
		"0x01bd538c2ee014ed5141b29e9ae240bf8db3fe5b9a38629a9647cf8d76c01737",
		"0x239b62e7db98aa3a2a8f6a0d2fa1709e7a35959aa6c7034814d9daa90cbac662",
		"0x04cbb44c61d928ed06808456bf758cbf0c18d1e15a7b6dbc8245fa7515d5e3cb",
		"0x2e11c5cff2a22c64d01304b778d78f6998eff1ab73163a35603f54794c30847a",
	} {
		require.Equal(t, want, settle.Element(x4[i].Bytes()).String())
	}
	require.Equal(t, "0x1d1a50bcde871247856df135d56a4ca61af575f1140ed9b1503c77528cf345df", settle.Element(x8[0].Bytes()).String())
	require.Equal(t, "0x0b19bfa00c8f1d505074130e7f8b49a8624b1905e280ceca5ba11099b081b265", settle.Element(x8[7].Bytes()).String())
}

func drawElements(t *rapid.T, n int) ([]fr.Element, []*big.Int) {
	elements, integers := make([]fr.Element, n), make([]*big.Int, n)
	for i := range elements {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			elements[i].SetUint64(rapid.Uint64Max(3).Draw(t, "small"))
		case 1:
			elements[i].SetUint64(rapid.Uint64Range(1, 3).Draw(t, "below p"))
			elements[i].Neg(&elements[i])
		default:
			elements[i].SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "element"))
		}
		integers[i] = elements[i].BigInt(new(big.Int))
	}
	return elements, integers
}

func requireElement(t require.TestingT, want *big.Int, got fr.Element, what string) {
	require.Equal(t, want.Text(16), got.BigInt(new(big.Int)).Text(16), what)
}

func TestAgainstReference(t *testing.T) {
	h, n4, n8 := poseidon.New(), naives[4](), naives[8]()
	rapid.Check(t, func(t *rapid.T) {
		x, ints := drawElements(t, 8)
		x8, x4 := [8]fr.Element(x), [4]fr.Element(x)
		requireElement(t, n4.feedForward(ints[:4], 0), h.Hash4(x4), "hash4")
		requireElement(t, n4.feedForward(ints[:4], 0), h.Node(x4), "node")
		requireElement(t, n4.feedForward(ints[:4], 1), h.Leaf(x4), "leaf")
		require.Equal(t, [4]fr.Element(x), x4, "arguments are not written")
		h.Permute4(&x4)
		for i, want := range n4.permute(ints[:4]) {
			requireElement(t, want, x4[i], "width 4")
		}
		h.Permute8(&x8)
		for i, want := range n8.permute(ints) {
			requireElement(t, want, x8[i], "width 8")
		}
	})
}

func TestSpongeAgainstReference(t *testing.T) {
	h, n := poseidon.New(), naives[4]()
	rapid.Check(t, func(t *rapid.T) {
		words, ints := drawElements(t, rapid.IntRange(0, 10).Draw(t, "length"))
		tag := rapid.Uint32().Draw(t, "tag")
		kept := append([]fr.Element{}, words...)
		got := h.Sponge(tag, words)
		requireElement(t, n.sponge(tag, ints), got, "sponge")
		require.Equal(t, kept, append([]fr.Element{}, words...), "arguments are not written")
		require.NotEqual(t, got, h.Sponge(tag+1, words), "the tag counts")
		require.NotEqual(t, got, h.Sponge(tag, append(words, fr.Element{})), "the length counts, even of zeros")
	})
}

func TestTagTooLong(t *testing.T) {
	require.Panics(t, func() { poseidon.Tag("01234567890123456789012345678901") })
}

type hashVectors struct {
	Permute4 []vector       `json:"permute4"`
	Permute8 []vector       `json:"permute8"`
	Node     []vector       `json:"node"`
	Leaf     []vector       `json:"leaf"`
	Sponge   []spongeVector `json:"sponge"`
	Tags     []tagVector    `json:"tags"`
}

type vector struct {
	In  []settle.Element `json:"in"`
	Out []settle.Element `json:"out"`
}

type spongeVector struct {
	Tag uint32           `json:"tag"`
	In  []settle.Element `json:"in"`
	Out settle.Element   `json:"out"`
}

type tagVector struct {
	Text string         `json:"text"`
	Out  settle.Element `json:"out"`
}

// inputs are counting numbers, numbers just below the modulus, and numbers of
// full width: powers of 7.
func inputs(kind, n int) []fr.Element {
	x := make([]fr.Element, n)
	for i := range x {
		switch x[i].SetUint64(uint64(i)); kind {
		case 1:
			x[i].Add(&x[i], new(fr.Element).SetUint64(1)).Neg(&x[i])
		case 2:
			x[i].Exp(fr.NewElement(7), big.NewInt(int64(1000+i)))
		}
	}
	return x
}

func encode(x ...fr.Element) []settle.Element {
	out := make([]settle.Element, len(x))
	for i := range x {
		out[i] = x[i].Bytes()
	}
	return out
}

func makeVectors() hashVectors {
	h, v := poseidon.New(), hashVectors{}
	for kind := range 3 {
		in := inputs(kind, 8)
		x4, x8 := [4]fr.Element(in), [8]fr.Element(in)
		v.Node = append(v.Node, vector{encode(x4[:]...), encode(h.Node(x4))})
		v.Leaf = append(v.Leaf, vector{encode(x4[:]...), encode(h.Leaf(x4))})
		h.Permute4(&x4)
		h.Permute8(&x8)
		v.Permute4 = append(v.Permute4, vector{encode(in[:4]...), encode(x4[:]...)})
		v.Permute8 = append(v.Permute8, vector{encode(in...), encode(x8[:]...)})
	}
	for length := range 8 {
		in := inputs(2, length)
		v.Sponge = append(v.Sponge, spongeVector{uint32(length + 1), encode(in...), encode(h.Sponge(uint32(length+1), in))[0]})
	}
	for _, text := range []string{"", "a", "settle/sig/v1", "settle/data/v1", "0123456789012345678901234567890"} {
		v.Tags = append(v.Tags, tagVector{text, encode(poseidon.Tag(text))[0]})
	}
	return v
}

func TestVectors(t *testing.T) {
	const file = "testdata/vectors.json"
	got, err := json.MarshalIndent(makeVectors(), "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "regenerate with -update if the hash was meant to change")

	// The file must agree with the reference too.
	var v hashVectors
	require.NoError(t, json.Unmarshal(want, &v))
	integers := func(in []settle.Element) []*big.Int {
		out := make([]*big.Int, len(in))
		for i := range in {
			out[i] = new(big.Int).SetBytes(in[i][:])
		}
		return out
	}
	n4, n8 := naives[4](), naives[8]()
	check := func(want []settle.Element, got ...*big.Int) {
		t.Helper()
		for i, e := range integers(want) {
			require.Equal(t, e.Text(16), got[i].Text(16))
		}
	}
	for i := range v.Permute4 {
		check(v.Permute4[i].Out, n4.permute(integers(v.Permute4[i].In))...)
		check(v.Permute8[i].Out, n8.permute(integers(v.Permute8[i].In))...)
		check(v.Node[i].Out, n4.feedForward(integers(v.Node[i].In), 0))
		check(v.Leaf[i].Out, n4.feedForward(integers(v.Leaf[i].In), 1))
	}
	for _, s := range v.Sponge {
		check([]settle.Element{s.Out}, n4.sponge(s.Tag, integers(s.In)))
	}
	for _, x := range v.Tags {
		check([]settle.Element{x.Out}, new(big.Int).SetBytes([]byte(x.Text)))
	}
}

func BenchmarkPermute4(b *testing.B) {
	h, x := poseidon.New(), [4]fr.Element{}
	for b.Loop() {
		h.Permute4(&x)
	}
}
