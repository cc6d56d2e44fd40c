package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/Sample.json, the syntax tree of testdata/src/Sample.sol; needs make tools")

const root = "../../.."

// TestMutants: what is taken out of a contract, or made less, and how.
func TestMutants(t *testing.T) {
	if *update {
		asts, _, err := trees(t.Context(), filepath.Join(root, "tools/solc"), "testdata/src")
		require.NoError(t, err)
		data, err := json.Marshal(asts)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("testdata/Sample.json", data, 0o600))
	}
	data, err := os.ReadFile("testdata/Sample.json")
	require.NoError(t, err)
	var asts map[string]node
	require.NoError(t, json.Unmarshal(data, &asts))
	source, err := os.ReadFile("testdata/src/Sample.sol")
	require.NoError(t, err)
	mutants := find(asts, map[string]string{"Sample.sol": string(source)})
	got := map[string]string{}
	for _, m := range mutants {
		require.NotContains(t, got, m.name)
		require.NotEqual(t, string(source), m.text, m.name)
		got[m.name] = m.text
	}
	want := map[string]string{
		`LIMIT: 7, one more`: `LIMIT = (7) + 1;`,
		`LIMIT: 7, one less`: `LIMIT = (7) - 1;`,

		`checked: never: stored > 9`:                                                     `if ((stored > 9) && false) revert`,
		`checked: stored > 9 as >=`:                                                      `if (stored >= 9) revert`,
		`set: without checked`:                                                           `external  {`,
		`set: without stored = value`:                                                    `        0;`,
		`set: without emit Set(value)`:                                                   `        0;`,
		`set: Set(value) without value`:                                                  `emit Set(uint256(0));`,
		`set: value >= LIMIT as >`:                                                       `(value > LIMIT || `,
		`set: never: value >= LIMIT || hash != bytes32(stored)`:                          `((value >= LIMIT || hash != bytes32(stored)) && false)`,
		`set: value >= LIMIT || hash != bytes32(stored) without value >= LIMIT`:          `if ((hash != bytes32(stored))) revert`,
		`set: value >= LIMIT || hash != bytes32(stored) without hash != bytes32(stored)`: `if ((value >= LIMIT)) revert`,
		`set: hash != bytes32(stored) by its first half`:                                 `bytes16(bytes32(hash)) != bytes16(bytes32(bytes32(stored)))`,
		`set: hash != bytes32(stored) by its last half`:                                  `uint128(uint256(bytes32(hash))) != `,

		`id: keccak256(abi.encode("id", p, uint160(who))) of 64 bits`:           `bytes32(uint256(uint64(uint256(keccak256(`,
		`id: keccak256(abi.encode("id", p, uint160(who))) without "id"`:         `abi.encode(p, uint160(who))`,
		`id: keccak256(abi.encode("id", p, uint160(who))) without p`:            `abi.encode("id", uint160(who))`,
		`id: keccak256(abi.encode("id", p, uint160(who))) without p.name`:       `abi.encode("id", Sample.Pair(bytes32(0), p.version), uint160(who))`,
		`id: keccak256(abi.encode("id", p, uint160(who))) without p.version`:    `Sample.Pair(p.name, uint32(0))`,
		`id: keccak256(abi.encode("id", p, uint160(who))) without uint160(who)`: `abi.encode("id", p)`,
		`id: uint160(who) of half as many bits`:                                 `uint160(uint80(uint160(who)))`,

		`sum: i < 3 without its first round`: `(uint256 i = 1; i < 3; ++i)`,
		`sum: i < 3 without its last round`:  `(uint256 i = 0; i + 1 < 3; ++i)`,
		`sum: without s ^= words[i]`:         `            0;`,
		`sum: i < 6 without its first round`: `(uint256 i = 2; i < 6; i += 2)`,
		`sum: i < 6 without its last round`:  `(uint256 i = 0; i + 2 < 6; i += 2)`,

		`flag: without delete bits`:                                 `        0;`,
		`flag: never: lt(bits, 3)`:                                  `if 0 {`,
		`flag: always: lt(bits, 3)`:                                 `if 1 {`,
		`flag: lt(bits, 3) or equal`:                                `if iszero(gt(bits, 3)) {`,
		`flag: lt(bits, 3): always`:                                 `if 1 {`,
		`flag: without mstore(0, and(bits, words.length))`:          `{ {} }`,
		`flag: and(bits, words.length) without bits`:                `mstore(0, words.length)`,
		`flag: and(bits, words.length) without words.length`:        `mstore(0, bits)`,
		`flag: without bits := addmod(bits, keccak256(0, 0x40), 9)`: `{}`,
		`flag: addmod(bits, keccak256(0, 0x40), 9) not reduced`:     `add(bits, keccak256(0, 0x40))`,
		`flag: keccak256(0, 0x40) without its last word`:            `keccak256(0, sub(0x40, 0x20))`,
		`flag: keccak256(0, 0x40) without its first word`:           `keccak256(add(0x20, 0), sub(0x40, 0x20))`,
		`flag: return bits >> 5 & 1 == 0: always`:                   `return true;`,
		`flag: bits >> 5 & 1 == 0 by its high bits`:                 `uint256(bits >> 5 & 1) >> 128 == uint256(0) >> 128`,
		`flag: bits >> 5 & 1 without 1`:                             `(bits >> 5) == 0`,
		`flag: bits >> 5 & 1 without bits >> 5`:                     `(1) == 0`,
		`flag: bits >> 5, a bit more`:                               `bits >> 5 + 1 & 1`,
		`flag: bits >> 5, a bit less`:                               `bits >> 5 - 1 & 1`,
	}
	for name, part := range want {
		require.Contains(t, got, "Sample.sol "+name)
		require.Contains(t, got["Sample.sol "+name], part, name)
	}
	require.Len(t, got, len(want))
}

// TestListsAreCurrent: each contract has its attacks, in files that exist, and what may survive is of a function that
// exists. `make solidity` compares the list with all mutants, for which it needs the compiler.
func TestListsAreCurrent(t *testing.T) {
	contracts, err := filepath.Glob(filepath.Join(root, "verifier/contracts/src/*.sol"))
	require.NoError(t, err)
	require.Len(t, contracts, len(suites()))
	texts := map[string]string{}
	for _, contract := range contracts {
		data, err := os.ReadFile(contract)
		require.NoError(t, err)
		texts[filepath.Base(contract)] = string(data)
		require.Contains(t, suites(), filepath.Base(contract))
	}
	for contract, tests := range suites() {
		for _, test := range tests {
			require.FileExists(t, filepath.Join(root, "verifier/contracts/test", test+".t.sol"), contract)
		}
	}
	reasons, err := survivors("survivors.txt")
	require.NoError(t, err)
	for name := range reasons {
		file, rest, _ := strings.Cut(name, " ")
		place, _, found := strings.Cut(rest, ": ")
		require.True(t, found, name)
		require.Regexp(t, `(function |constant |modifier |)\b`+regexp.QuoteMeta(place)+`\b`, texts[file], name)
	}
}
