package verifier_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"text/template"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

var update = flag.Bool("update", false, "rewrite the permutation's contract and its vectors")

const (
	permutationFile = "contracts/src/Poseidon2Permutation.sol"
	poseidonVectors = "contracts/testdata/poseidon2.json"
)

func solidityWord(e fr.Element) string {
	b := e.Bytes()
	return fmt.Sprintf("0x%x", b)
}

// golden compares a committed file with what it is generated as.
func golden(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err, "make it by: go test ./verifier -run %s -update", t.Name())
	require.Equal(t, want, string(got), "regenerate it by: go test ./verifier -run %s -update", t.Name())
}

func isPartial(round int) bool {
	return round >= poseidon.FullRounds/2 && round < poseidon.FullRounds/2+poseidon.PartialRounds4
}

// requireOnlyFirst: a partial round adds a key to lane 0 alone.
func requireOnlyFirst(t *testing.T, keys []fr.Element) {
	t.Helper()
	for _, key := range keys[1:] {
		require.True(t, key.IsZero())
	}
}

// The unrolled permutation is what the template makes of gnark-crypto's constants.
func TestPermutationContractIsGenerated(t *testing.T) {
	p := poseidon2.NewParameters(4, poseidon.FullRounds, poseidon.PartialRounds4)
	var full [][4]string
	var partial []string
	for round, keys := range p.RoundKeys {
		if !isPartial(round) {
			full = append(full, [4]string{solidityWord(keys[0]), solidityWord(keys[1]), solidityWord(keys[2]), solidityWord(keys[3])})
			continue
		}
		requireOnlyFirst(t, keys)
		partial = append(partial, solidityWord(keys[0]))
	}
	var diagonal [4]string
	for i, d := range p.DiagM1 {
		diagonal[i] = solidityWord(d)
	}
	var out bytes.Buffer
	require.NoError(t, template.Must(template.New("permutation").Parse(permutationTemplate)).Execute(&out, map[string]any{
		"first": full[:poseidon.FullRounds/2], "last": full[poseidon.FullRounds/2:], "start": partial[0], "partial": append(partial[1:], ""), "diagonal": diagonal, "modulus": fmt.Sprintf("%#x", fr.Modulus()),
	}))
	golden(t, permutationFile, out.String())
}

const permutationTemplate = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Poseidon2 of width 4 over BN254's scalar field: 8 full rounds, 56 partial ones
/// @notice Generated from gnark-crypto's constants by go test ./verifier -run
/// TestPermutationContractIsGenerated -update. Rounds are unrolled, constants stand in the code.
/// @dev Sums are reduced only where they could pass 2^256 > 5r. Bounds, in multiples of r, by lane:
///   before and after the external matrix   (1, 1, 1, 1) and (4, 1, 4, 1)
///   in a partial round                     lanes 0, 1 and 3 sum to at most 1 + 2 + 2 within a word,
///                                          lane 2 is below 4; addmod reduces their sum
///   after a partial round                  (2, 2, 2, 2): a reduced product and the reduced sum
/// A round constant adds 1; the S-box reduces what it is given. In partial rounds t is lane 0 with
/// the constant of the next round added.
library Poseidon2Permutation {
    /// @notice Order of BN254's scalar field.
    uint256 internal constant R = {{.modulus}};

    /// @notice Applies the permutation to lanes below r. The result is not reduced: each lane is
    /// below 4r.
    function permute(uint256 x0, uint256 x1, uint256 x2, uint256 x3)
        internal
        pure
        returns (uint256 s0, uint256 s1, uint256 s2, uint256 s3)
    {
        // All variables stand outside of the assembly, where they keep their stack slots: the optimizer
        // would split its own into one for each assignment, and put R's 32 bytes at each use.
        uint256 r = R;
        uint256 t;
        uint256 u;
        uint256 v;
        uint256 w;
        (s0, s1, s2, s3) = (x0, x1, x2, x3);
        assembly ("memory-safe") {
            {{define "external"}}t := addmod(s0, s1, r) u := addmod(s2, s3, r) v := add(add(s1, s1), u) w := add(add(s3, s3), t)
            s3 := addmod(shl(2, u), w, r) s1 := addmod(shl(2, t), v, r) s0 := add(w, s1) s2 := add(v, s3){{end}}{{template "external"}}
{{define "full"}}{{range .}}
            t := add(s0, {{index . 0}}) u := mulmod(t, t, r) s0 := mulmod(mulmod(u, u, r), t, r)
            t := add(s1, {{index . 1}}) u := mulmod(t, t, r) s1 := mulmod(mulmod(u, u, r), t, r)
            t := add(s2, {{index . 2}}) u := mulmod(t, t, r) s2 := mulmod(mulmod(u, u, r), t, r)
            t := add(s3, {{index . 3}}) u := mulmod(t, t, r) s3 := mulmod(mulmod(u, u, r), t, r)
            {{template "external"}}
{{end}}{{end}}{{template "full" .first}}
            t := add(s0, {{.start}})
{{range .partial}}
            u := mulmod(t, t, r) s0 := mulmod(mulmod(u, u, r), t, r) u := addmod(add(add(s0, s1), s3), s2, r)
            {{if .}}t := add(add(mulmod(s0, {{index $.diagonal 0}}, r), u), {{.}}){{else}}s0 := add(mulmod(s0, {{index $.diagonal 0}}, r), u){{end}}
            s1 := add(mulmod(s1, {{index $.diagonal 1}}, r), u) s2 := add(mulmod(s2, {{index $.diagonal 2}}, r), u) s3 := add(mulmod(s3, {{index $.diagonal 3}}, r), u)
{{end}}{{template "full" .last}}        }
    }
}
`

type permutationVector struct {
	In  [4]settle.Element `json:"in"`
	Out [4]settle.Element `json:"out"`
}

type proofVector struct {
	Index    uint32           `json:"index"`
	Owner    settle.Element   `json:"owner"`
	Token    uint32           `json:"token"`
	Nonce    uint64           `json:"nonce"`
	Balance  settle.Amount    `json:"balance"`
	L1       settle.Address   `json:"l1"`
	Leaf     settle.Element   `json:"leaf"`
	Siblings []settle.Element `json:"siblings"` // 48, from the leaf upwards
}

type poseidonFile struct {
	Counts struct {
		Permutations int `json:"permutations"`
		Proofs       int `json:"proofs"`
	} `json:"counts"`
	RoundKeys        []settle.Element    `json:"round_keys"` // in the order of use: 4 in a full round, 1 in a partial one
	DiagonalMinusOne []settle.Element    `json:"diagonal_minus_one"`
	Permutations     []permutationVector `json:"permutations"`
	Root             settle.Element      `json:"root"` // of the proofs' tree
	Proofs           []proofVector       `json:"proofs"`
}

// The contract's vectors are what packages poseidon and state compute, and each
// proof in them holds natively.
func TestVectorsOfAccountProofs(t *testing.T) {
	var file poseidonFile
	h := poseidon.New()
	p := poseidon2.NewParameters(4, poseidon.FullRounds, poseidon.PartialRounds4)
	for round, keys := range p.RoundKeys {
		if isPartial(round) {
			requireOnlyFirst(t, keys)
			keys = keys[:1]
		}
		for _, key := range keys {
			file.RoundKeys = append(file.RoundKeys, key.Bytes())
		}
	}
	for _, d := range p.DiagM1 {
		file.DiagonalMinusOne = append(file.DiagonalMinusOne, d.Bytes())
	}
	file.Permutations = permutations(h)
	s, indices := vectorState(t, h)
	root := s.Root()
	file.Root = root.Bytes()
	for _, index := range indices {
		proof := s.Prove(index)
		require.NoError(t, proof.Verify(h, root))
		a := proof.Account
		leaf := a.Leaf(h)
		v := proofVector{
			Index: uint32(index), Owner: a.Owner.Bytes(), Token: uint32(a.Token), Nonce: uint64(a.Nonce), Balance: a.Balance, L1: a.L1, Leaf: leaf.Bytes(),
		}
		for _, level := range proof.Siblings {
			for _, sibling := range level {
				v.Siblings = append(v.Siblings, sibling.Bytes())
			}
		}
		file.Proofs = append(file.Proofs, v)
	}
	file.Counts.Permutations, file.Counts.Proofs = len(file.Permutations), len(file.Proofs)
	encoded, err := json.MarshalIndent(file, "", "  ")
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "null")
	golden(t, poseidonVectors, string(encoded)+"\n")
}

// permutations are those of poseidon's own vectors and a chain from there.
func permutations(h *poseidon.Hasher) []permutationVector {
	var out []permutationVector
	var last fr.Element
	last.SetInt64(-1)
	states := [][4]fr.Element{{}, {last, last, last, last}}
	states[0][1].SetUint64(1)
	states[0][2].SetUint64(2)
	states[0][3].SetUint64(3)
	x := states[0]
	for range 14 {
		h.Permute4(&x)
		states = append(states, x)
	}
	for _, in := range states {
		x := in
		h.Permute4(&x)
		var v permutationVector
		for lane := range x {
			v.In[lane], v.Out[lane] = in[lane].Bytes(), x[lane].Bytes()
		}
		out = append(out, v)
	}
	return out
}

// vectorState has accounts at the ends and inside of the tree, with fields at
// the ends of their ranges.
func vectorState(t *testing.T, h *poseidon.Hasher) (*state.State, []settle.AccountIndex) {
	t.Helper()
	indices := []settle.AccountIndex{0, 1, 2, 3, 4, 1023, 1 << 20, 0x9e3779b9, 1<<32 - 1}
	var accounts []state.Indexed
	for i, index := range indices {
		a := state.Account{
			Token: settle.TokenID(uint32(i) * 0x1fffffff), Nonce: settle.Nonce(uint64(i)*0x1fffffffff) & settle.MaxNonce,
			Balance: settle.Amount{Hi: uint64(i) * 0x1fffffffffffffff, Lo: ^uint64(i)}, L1: settle.Address{0: byte(0x1f * i), 19: byte(i)},
		}
		a.Owner.SetInt64(-1 - int64(i))
		accounts = append(accounts, state.Indexed{Index: index, Account: a})
	}
	s, err := state.Load(h, fr.Element{}, 0, accounts, nil)
	require.NoError(t, err)
	return s, indices
}
