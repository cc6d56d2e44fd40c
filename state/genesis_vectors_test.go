package state_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/golden"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// genesisVector is a genesis file, good or bad.
type genesisVector struct {
	Name string          `json:"name"`
	File string          `json:"file"`
	Hash *settle.Hash    `json:"hash,omitempty"` // of a good one
	Root *settle.Element `json:"root,omitempty"`
}

func makeGenesisVectors(t testing.TB) (out []genesisVector) {
	good := `{"accounts": [
  {"owner": "0x0000000000000000000000000000000000000000000000000000000000000001", "token": 5, "balance": "1000000", "l1": "0x00000000000000000000000000000000000000aB"},
  {"owner": "0x06CE1B0827AAFA85DDEB49CDAA36306D19A74CAA311E13D46D8BC688CDBFFFFE", "token": 0, "balance": "0", "l1": "0x00000000000000000000000000000000000000aB"},
  {"owner": "0x0000000000000000000000000000000000000000000000000000000000000001", "token": 0, "balance": "340282366920938463463374607431768211455", "l1": "0xff00000000000000000000000000000000000000"}
], "fee_accounts": [{"token": 5, "index": 0}, {"index": 1, "token": 0}]}`
	key := func(n int64) string { return privateKey(t, n).Public().String() }
	// 0 and 4 are on no point; each replaces the first text by the second, once.
	for _, c := range [][3]string{
		{"good", "", ""},
		{"no accounts", good, `{"fee_accounts":[],"accounts":[]}`},
		{"another key", `0x0000000000000000000000000000000000000000000000000000000000000001`, key(77)},
		{"a token without fee account", `{"token": 5, "index": 0}, `, ""},
		{"other white space", ", ", ",\n\t"},
		{"owner 0", `0000000000000000000000000000000000000000000000000000000000000001`, strings.Repeat("0", 64)},
		{"owner on no point", `0000000000000000000000000000000000000000000000000000000000000001`, strings.Repeat("0", 63) + "4"},
		{"owner not below r", `0000000000000000000000000000000000000000000000000000000000000001`, strings.Repeat("f", 64)},
		{"short owner", `0x00`, `0x`},
		{"no 0x", `"0x06`, `"06`},
		{"l1 0", `0x00000000000000000000000000000000000000aB`, `0x0000000000000000000000000000000000000000`},
		{"sum of 2^128", `"balance": "0"`, `"balance": "1"`},
		{"balance of 2^128", `340282366920938463463374607431768211455`, `340282366920938463463374607431768211456`},
		{"balance with a leading zero", `"balance": "0"`, `"balance": "00"`},
		{"negative balance", `"balance": "0"`, `"balance": "-1"`},
		{"balance as a number", `"balance": "0"`, `"balance": 0`},
		{"token of 33 bits", `"token": 5`, `"token": 4294967296`},
		{"negative token", `"token": 5`, `"token": -1`},
		{"fraction", `"token": 5`, `"token": 5.5`},
		{"exponent", `"token": 5`, `"token": 5e0`},
		{"point", `"token": 5`, `"token": 5.0`},
		{"token as a string", `"token": 5`, `"token": "5"`},
		{"missing field", `"token": 5, `, ``},
		{"null field", `"token": 5`, `"token": null`},
		{"unknown field", `"token": 5`, `"token": 5, "nonce": 0`},
		{"field in another case", `"token": 5`, `"TOKEN": 5`},
		{"field twice", `"token": 5`, `"token": 5, "token": 5`},
		{"list twice", `, "fee_accounts": [`, `, "fee_accounts": [], "fee_accounts": [`},
		{"missing list", `, "fee_accounts": [{"token": 5, "index": 0}, {"index": 1, "token": 0}]`, ``},
		{"two fee accounts of a token", `{"token": 5, "index": 0}`, `{"token": 0, "index": 2}`},
		{"fee account of another token", `"index": 0`, `"index": 2`},
		{"fee account that does not exist", `"index": 0`, `"index": 3`},
		{"text behind it", `"token": 0}]}`, `"token": 0}]} {}`},
	} {
		v := genesisVector{Name: c[0], File: strings.Replace(good, c[1], c[2], 1)}
		if g, err := state.ParseGenesis([]byte(v.File)); err == nil {
			root, err := g.Root(poseidon.New())
			require.NoError(t, err)
			hash, bytes := g.Hash(), settle.Element(root.Bytes())
			v.Hash, v.Root = &hash, &bytes
		}
		require.Equal(t, len(out) < 5, v.Hash != nil, c[0])
		out = append(out, v)
	}
	return out
}

func TestGenesisVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeGenesisVectors(t), "", "  ")
	require.NoError(t, err)
	golden.Hold(t, "testdata/genesis.json", append(got, '\n'), *update)
}
