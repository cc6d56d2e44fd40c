package publicdata_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/sha3"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
)

// hashText hashes what hexadecimal digits say.
func hashText(text string) string {
	all, ok := new(big.Int).SetString("1"+text, 16) // the 1 keeps leading zeros
	if !ok {
		panic("not hexadecimal: " + text)
	}
	hash := sha3.NewLegacyKeccak256()
	hash.Write(all.Bytes()[1:])
	return fmt.Sprintf("%x", hash.Sum(nil))
}

// naiveLeaves is the whole lowest level, zeros included, as hexadecimal digits.
func naiveLeaves(batch settle.BatchNumber, exits []publicdata.Exit) []string {
	var leaves []string
	for i, x := range exits {
		leaves = append(leaves, hashText(fmt.Sprintf("00%064x%064x%064s%064x%064s", uint32(batch), i, x.L1.String()[2:], uint32(x.Token), x.Amount.Big().Text(16))))
	}
	for size := 1; ; size *= 2 {
		if size < len(leaves) {
			continue
		}
		for len(leaves) < size {
			leaves = append(leaves, fmt.Sprintf("%064d", 0))
		}
		return leaves
	}
}

// naiveExitsRoot halves the list from the top; sibling lists come from halves too.
func naiveExitsRoot(leaves []string) string {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := len(leaves) / 2
	return hashText("01" + naiveExitsRoot(leaves[:half]) + naiveExitsRoot(leaves[half:]))
}

func naiveExitPath(leaves []string, i int) []string {
	if len(leaves) == 1 {
		return nil
	}
	half := len(leaves) / 2
	if i < half {
		return append(naiveExitPath(leaves[:half], i), naiveExitsRoot(leaves[half:]))
	}
	return append(naiveExitPath(leaves[half:], i-half), naiveExitsRoot(leaves[:half]))
}

func drawExits(t *rapid.T, least, most int) []publicdata.Exit {
	var exits []publicdata.Exit
	for range rapid.IntRange(least, most).Draw(t, "exits") {
		exits = append(exits, publicdata.Exit{
			L1: drawAddress(t), Token: settle.TokenID(rapid.Uint32().Draw(t, "token")), Amount: drawAmount(t),
		})
	}
	return exits
}

func drawBatch(t *rapid.T) settle.BatchNumber {
	return settle.BatchNumber(rapid.OneOf(rapid.Uint32(), rapid.Just[uint32](math.MaxUint32)).Draw(t, "batch"))
}

func TestExitsAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch, exits := drawBatch(t), drawExits(t, 1, 20)
		leaves := naiveLeaves(batch, exits)
		root := publicdata.ExitsRoot(batch, exits)
		require.Equal(t, "0x"+naiveExitsRoot(leaves), root.String())
		for i, x := range exits {
			require.Equal(t, "0x"+leaves[i], publicdata.ExitLeaf(batch, uint32(i), x).String())
			path, err := publicdata.ExitPath(batch, exits, i)
			require.NoError(t, err)
			naive := naiveExitPath(leaves, i)
			require.Len(t, path, len(naive))
			for level := range path {
				require.Equal(t, "0x"+naive[level], path[level].String(), "exit %d, level %d", i, level)
			}
			require.NoError(t, publicdata.VerifyExit(root, batch, uint32(i), x, path))
		}
	})
}

func TestNoExits(t *testing.T) {
	require.Zero(t, publicdata.ExitsRoot(7, nil))
	for _, i := range []int{-1, 0, 1} {
		_, err := publicdata.ExitPath(7, nil, i)
		require.ErrorIs(t, err, publicdata.ErrNoExit)
	}
	_, err := publicdata.ExitPath(7, fullData().Exits, 2)
	require.ErrorIs(t, err, publicdata.ErrNoExit)
	require.ErrorIs(t, publicdata.VerifyExit(settle.Hash{}, 7, 0, publicdata.Exit{}, nil), publicdata.ErrExitProof)
}

// An exit that differs in anything is not proven, by whatever part of the tree.
func TestExitProofsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch, exits := drawBatch(t), drawExits(t, 2, 20)
		root := publicdata.ExitsRoot(batch, exits)
		n := rapid.IntRange(0, len(exits)-1).Draw(t, "exit")
		i, x := uint32(n), exits[n]
		path, err := publicdata.ExitPath(batch, exits, n)
		require.NoError(t, err)
		refuse := func(root settle.Hash, batch settle.BatchNumber, i uint32, x publicdata.Exit, path []settle.Hash) {
			require.ErrorIs(t, publicdata.VerifyExit(root, batch, i, x, path), publicdata.ErrExitProof)
		}
		bit := rapid.IntRange(0, 159).Draw(t, "bit")
		refuse(root, batch^1<<(bit%32), i, x, path)
		refuse(root, batch, i^1<<(bit%32), x, path)
		refuse(root, batch, i+1<<len(path), x, path)
		if x != (publicdata.Exit{}) {
			refuse(root, batch, i, publicdata.Exit{}, path)
		}
		other := x
		other.L1[bit/8] ^= 1 << (bit % 8)
		refuse(root, batch, i, other, path)
		other = x
		other.Token ^= 1 << (bit % 32)
		refuse(root, batch, i, other, path)
		other = x
		other.Amount.Hi ^= 1 << (bit % 64)
		refuse(root, batch, i, other, path)
		other = x
		other.Amount.Lo ^= 1 << (bit % 64)
		refuse(root, batch, i, other, path)
		refuse(root, batch, i, x, path[1:])
		refuse(root, batch, i, x, path[:len(path)-1])
		refuse(root, batch, i, x, append(path[:len(path):len(path)], settle.Hash{}))
		refuse(root, batch, i, x, append([]settle.Hash{publicdata.ExitLeaf(batch, i, x)}, path...))
		root[bit/8] ^= 1 << (bit % 8)
		refuse(root, batch, i, x, path)
	})
}

// A leaf whose index is no place of the tree is not proven, though the path leads from
// it to the root: whoever made such a tree could claim one place under many indices.
func TestExitIndexIsAPlaceOfTheTree(t *testing.T) {
	exit := fullData().Exits[0]
	var path []settle.Hash
	for depth := range 31 {
		for _, i := range []uint32{1 << depth, 1<<depth | 1<<(depth/2), math.MaxUint32} {
			root := publicdata.ExitLeaf(7, i, exit)
			for level, sibling := range path {
				pair := []string{root.String()[2:], sibling.String()[2:]}
				if i>>level&1 == 1 {
					slices.Reverse(pair)
				}
				require.NoError(t, root.UnmarshalText([]byte("0x"+hashText("01"+pair[0]+pair[1]))))
			}
			err := publicdata.VerifyExit(root, 7, i, exit, path)
			require.ErrorIs(t, err, publicdata.ErrExitProof, "index %d, depth %d", i, depth)
			require.ErrorContains(t, err, "no place")
			if depth == 30 && i>>31 == 0 { // the same leaf one level deeper is at its place
				deeper := append(path[:depth:depth], settle.Hash{})
				require.NoError(t, root.UnmarshalText([]byte("0x"+hashText("01"+deeper[depth].String()[2:]+root.String()[2:]))))
				require.NoError(t, publicdata.VerifyExit(root, 7, i, exit, deeper))
			}
		}
		path = append(path, publicdata.ExitLeaf(settle.BatchNumber(depth), 0, exit))
	}
}

// Batches without exits have root 0. That nothing is proven against it is not left to
// the hash.
func TestNothingIsProvenAgainstNoRoot(t *testing.T) {
	exits := fullData().Exits
	path, err := publicdata.ExitPath(7, exits, 1)
	require.NoError(t, err)
	err = publicdata.VerifyExit(settle.Hash{}, 7, 1, exits[1], path)
	require.ErrorIs(t, err, publicdata.ErrExitProof)
	require.ErrorContains(t, err, "has no exits")
	root := publicdata.ExitsRoot(7, exits)
	for i := range root { // a root is compared in every byte
		other := root
		other[i] ^= 1
		err := publicdata.VerifyExit(other, 7, 1, exits[1], path)
		require.ErrorIs(t, err, publicdata.ErrExitProof)
		require.NotContains(t, err.Error(), "has no exits")
	}
}

// exitVector is what Go and Solidity agree on: the words of the exits as in D,
// the root, and some claims. Numbers are 32-byte words.
type exitVector struct {
	Batch  uint32           `json:"batch"`
	Count  int              `json:"count"`
	Words  []settle.Element `json:"words"`
	Root   settle.Hash      `json:"root"`
	Claims []exitClaim      `json:"claims"`
}

type exitClaim struct {
	Index  int              `json:"index"`
	Record []settle.Element `json:"record"` // l1, token, amount: numbers for readers without big ones
	Path   []settle.Hash    `json:"path"`
}

func numberElement(v *big.Int) (e settle.Element) {
	v.FillBytes(e[:])
	return e
}

func makeExitVectors(t *testing.T) (vectors []exitVector) {
	for n, count := range []int{1, 2, 3, 5, 7, 8, 33, 64} {
		v := exitVector{Batch: uint32(n + 1), Count: count}
		var exits []publicdata.Exit
		for i := range count {
			element := wide(int64(1000*count + i))
			seed := element.Bytes()
			exits = append(exits, publicdata.Exit{
				L1: settle.Address(seed[12:]), Token: settle.TokenID(i), Amount: settle.Amount{Hi: uint64(seed[1]), Lo: uint64(i) << 40},
			})
		}
		if count == 2 {
			v.Batch = math.MaxUint32
			exits[0] = publicdata.Exit{}
			exits[1] = publicdata.Exit{Token: math.MaxUint32, Amount: settle.Amount{Hi: math.MaxUint64, Lo: math.MaxUint64}}
			for i := range exits[1].L1 {
				exits[1].L1[i] = 0xff
			}
		}
		data := publicdata.Data{Exits: exits}
		for _, w := range data.Words()[publicdata.HeaderWords:] {
			v.Words = append(v.Words, w.Bytes())
		}
		v.Root = publicdata.ExitsRoot(settle.BatchNumber(v.Batch), exits)
		for _, i := range []int{0, 1, count / 2, count - 1} {
			if i >= count || (len(v.Claims) > 0 && v.Claims[len(v.Claims)-1].Index >= i) {
				continue
			}
			path, err := publicdata.ExitPath(settle.BatchNumber(v.Batch), exits, i)
			require.NoError(t, err)
			x := exits[i]
			v.Claims = append(v.Claims, exitClaim{
				Index: i, Path: path, Record: []settle.Element{
					numberElement(new(big.Int).SetBytes(x.L1[:])), numberElement(big.NewInt(int64(x.Token))), numberElement(x.Amount.Big()),
				},
			})
		}
		vectors = append(vectors, v)
	}
	return vectors
}

func TestExitVectors(t *testing.T) {
	const file = "testdata/exits.json"
	got, err := json.MarshalIndent(map[string]any{"vectors": makeExitVectors(t)}, "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "regenerate with -update if the tree was meant to change")

	// The file must agree with the reference.
	var read struct {
		Vectors []exitVector `json:"vectors"`
	}
	require.NoError(t, json.Unmarshal(want, &read))
	for _, v := range read.Vectors {
		records := publicdata.Data{Transfers: make([]publicdata.Transfer, v.Count)}
		for i := range records.Transfers {
			records.Transfers[i].Kind = settle.KindExit
		}
		words := records.Words()
		words[4] = publicdata.Pack(publicdata.U(0, 64), publicdata.U(uint64(v.Count), 32), publicdata.U(0, 32), publicdata.U(uint64(v.Count), 32))
		for _, w := range v.Words {
			var e fr.Element
			require.NoError(t, e.SetBytesCanonical(w[:]))
			words = append(words, e)
		}
		d, err := publicdata.Parse(words)
		require.NoError(t, err)
		leaves := naiveLeaves(settle.BatchNumber(v.Batch), d.Exits)
		require.Equal(t, "0x"+naiveExitsRoot(leaves), v.Root.String())
		for _, c := range v.Claims {
			for level, sibling := range naiveExitPath(leaves, c.Index) {
				require.Equal(t, "0x"+sibling, c.Path[level].String())
			}
		}
	}
}

// FuzzVerifyExit lets hostile paths try to prove an exit that the batch has not.
func FuzzVerifyExit(f *testing.F) {
	exits := fullData().Exits
	root := publicdata.ExitsRoot(7, exits)
	path, err := publicdata.ExitPath(7, exits, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(1), exits[1].L1[:], uint32(exits[1].Token), exits[1].Amount.Hi, exits[1].Amount.Lo, path[0][:])
	f.Add(uint32(0), make([]byte, 20), uint32(0), uint64(0), uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, i uint32, l1 []byte, token uint32, hi, lo uint64, siblings []byte) {
		if len(l1) != 20 {
			return
		}
		x := publicdata.Exit{L1: settle.Address(l1), Token: settle.TokenID(token), Amount: settle.Amount{Hi: hi, Lo: lo}}
		var path []settle.Hash
		for ; len(siblings) >= 32; siblings = siblings[32:] {
			path = append(path, settle.Hash(siblings[:32]))
		}
		if publicdata.VerifyExit(root, 7, i, x, path) == nil {
			require.Less(t, i, uint32(len(exits)))
			require.Equal(t, exits[i], x)
		}
	})
}
