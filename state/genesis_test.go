package state_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/naive"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// privateKey returns the key of a small scalar.
func privateKey(t testing.TB, n int64) schnorr.PrivateKey {
	t.Helper()
	sk, err := schnorr.NewPrivateKeyFromInt(big.NewInt(n))
	require.NoError(t, err)
	return sk
}

const genesisL1 = "0x00000000000000000000000000000000000000aa"

func genesisAccount(t testing.TB, n int64, token int, balance string) string {
	t.Helper()
	return fmt.Sprintf(`{"owner":%q,"token":%d,"balance":%q,"l1":%q}`, privateKey(t, n).Public(), token, balance, genesisL1)
}

func genesisFile(accounts []string, feeAccounts ...string) []byte {
	return fmt.Appendf(nil, `{"accounts":[%s],"fee_accounts":[%s]}`, strings.Join(accounts, ","), strings.Join(feeAccounts, ","))
}

func TestGenesis(t *testing.T) {
	file := genesisFile([]string{
		genesisAccount(t, 5, 0, "1000000000000000000"),
		genesisAccount(t, 6, 7, "340282366920938463463374607431768211455"),
		genesisAccount(t, 5, 0, "0"),
	}, `{"token":7,"index":1}`, `{"token":0,"index":2}`)
	g, err := state.ParseGenesis(file)
	require.NoError(t, err)
	require.Len(t, g.Accounts, 3)

	h := poseidon.New()
	var domain fr.Element
	domain.SetUint64(99)
	s, err := g.State(h, domain)
	require.NoError(t, err)
	require.Equal(t, domain, s.Domain())
	require.Zero(t, s.Number())
	require.Equal(t, state.Account{
		Owner: privateKey(t, 6).Public().X, Token: 7, Balance: settle.Amount{Hi: 1<<64 - 1, Lo: 1<<64 - 1}, L1: settle.Address{19: 0xaa},
	}, s.Account(1))
	require.True(t, s.Account(3).IsEmpty())
	for token, want := range map[settle.TokenID]settle.AccountIndex{0: 2, 7: 1} {
		index, ok := s.FeeAccount(token)
		require.True(t, ok)
		require.Equal(t, want, index)
	}
	_, ok := s.FeeAccount(1)
	require.False(t, ok)

	root, err := g.Root(h)
	require.NoError(t, err)
	require.Equal(t, s.Root(), root)
	leaves := map[settle.AccountIndex]naive.Account{}
	for i := range g.Accounts {
		leaves[settle.AccountIndex(i)] = naive.Of(s.Account(settle.AccountIndex(i)))
	}
	require.Equal(t, naive.Root(leaves), root.BigInt(new(big.Int)))
}

func TestGenesisHash(t *testing.T) {
	accounts := []string{genesisAccount(t, 5, 0, "10"), genesisAccount(t, 6, 1, "20")}
	fee0, fee1 := `{"token":0,"index":0}`, `{"token":1,"index":1}`
	parse := func(file []byte) settle.Hash {
		g, err := state.ParseGenesis(file)
		require.NoError(t, err)
		return g.Hash()
	}
	want := parse(genesisFile(accounts, fee0, fee1))
	require.Equal(t, settle.Hash(sha256.Sum256(genesisFile(accounts, fee0, fee1))), want, "the file above is in canonical form")
	require.Equal(t, want, parse(genesisFile(accounts, fee1, fee0)), "order of fee accounts")
	spaced := strings.ReplaceAll(string(genesisFile(accounts, fee0, fee1)), ",", " ,\n\t")
	require.Equal(t, want, parse([]byte(spaced)), "white space")
	upper := strings.ReplaceAll(string(genesisFile(accounts, fee0, fee1)), genesisL1[2:], strings.ToUpper(genesisL1[2:]))
	require.Equal(t, want, parse([]byte(upper)), "case of digits")

	require.NotEqual(t, want, parse(genesisFile([]string{accounts[1], accounts[0]}, `{"token":0,"index":1}`, `{"token":1,"index":0}`)), "order of accounts")
	require.NotEqual(t, want, parse(genesisFile(accounts, fee0)), "fee account left out")
	require.NotEqual(t, want, parse(genesisFile([]string{genesisAccount(t, 5, 0, "11"), accounts[1]}, fee0, fee1)), "balance")

	g, err := state.ParseGenesis(genesisFile(accounts, fee1, fee0))
	require.NoError(t, err)
	encoded, err := json.Marshal(g)
	require.NoError(t, err)
	require.Equal(t, want, parse(encoded), "what it marshals to parses to the same genesis")
	require.Equal(t, settle.TokenID(1), g.FeeAccounts[0].Token, "Hash leaves the order alone")
}

func TestGenesisRefuses(t *testing.T) {
	good := genesisAccount(t, 5, 0, "10")
	with := func(old, replacement string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, replacement, 1)
	}
	owner := privateKey(t, 5).Public().String()
	const largest = "340282366920938463463374607431768211455"
	word := func(n uint64) string {
		return settle.Element(new(big.Int).SetUint64(n).FillBytes(make([]byte, 32))).String()
	}
	offCurve := uint64(1)
	for ; ; offCurve++ {
		var x fr.Element
		if x.SetUint64(offCurve); !schnorr.OnCurve(x) {
			break
		}
	}
	for name, c := range map[string]struct {
		file []byte
		says []string
	}{
		"not JSON":         {[]byte("accounts"), []string{"invalid character"}},
		"nothing":          {nil, []string{"EOF"}},
		"two objects":      {append(genesisFile([]string{good}), "{}"...), []string{"end of the file"}},
		"unknown field":    {[]byte(`{"accounts":[],"fee_accounts":[],"chain":1}`), []string{`unknown field "chain"`}},
		"no fee accounts":  {[]byte(`{"accounts":[]}`), []string{"expected the two lists"}},
		"no accounts":      {[]byte(`{"fee_accounts":[]}`), []string{"expected the two lists"}},
		"account field":    {genesisFile([]string{good, with(`"token":0`, `"token":0,"nonce":0`)}), []string{"account 1", `unknown field "nonce"`}},
		"fee field":        {genesisFile([]string{good}, `{"token":0,"index":0,"x":1}`), []string{"fee account entry 0", `unknown field "x"`}},
		"owner missing":    {genesisFile([]string{good, `{"token":0,"balance":"1","l1":"` + genesisL1 + `"}`}), []string{"account 1", "missing"}},
		"token missing":    {genesisFile([]string{with(`"token":0,`, "")}), []string{"account 0", "missing"}},
		"balance missing":  {genesisFile([]string{with(`"balance":"10",`, "")}), []string{"account 0", "missing"}},
		"l1 missing":       {genesisFile([]string{with(`,"l1":"`+genesisL1+`"`, "")}), []string{"account 0", "missing"}},
		"null account":     {genesisFile([]string{"null"}), []string{"account 0", "missing"}},
		"index missing":    {genesisFile([]string{good}, `{"token":0}`), []string{"fee account entry 0", "missing"}},
		"token of a fee":   {genesisFile([]string{good}, `{"index":0}`), []string{"fee account entry 0", "missing"}},
		"owner zero":       {genesisFile([]string{good, with(owner, word(0))}), []string{"account 1", "Grumpkin"}},
		"owner off curve":  {genesisFile([]string{with(owner, word(offCurve))}), []string{"account 0", "Grumpkin"}},
		"owner is r":       {genesisFile([]string{with(owner, "0x"+fr.Modulus().Text(16))}), []string{"account 0", "below the field modulus"}},
		"owner short":      {genesisFile([]string{with(owner, "0x05")}), []string{"account 0", "64 hexadecimal digits"}},
		"l1 zero":          {genesisFile([]string{good, good, with(genesisL1, settle.Address{}.String())}), []string{"account 2", "l1 is the zero address"}},
		"l1 long":          {genesisFile([]string{with(genesisL1, genesisL1+"00")}), []string{"account 0", "40 hexadecimal digits"}},
		"token too wide":   {genesisFile([]string{with(`"token":0`, `"token":4294967296`)}), []string{"account 0", "uint32"}},
		"list of strings":  {[]byte(`{"accounts":"x","fee_accounts":[]}`), []string{"field accounts", "slice"}},
		"token negative":   {genesisFile([]string{with(`"token":0`, `"token":-1`)}), []string{"account 0", "uint32"}},
		"balance number":   {genesisFile([]string{with(`"10"`, `10`)}), []string{"account 0", "decimal string"}},
		"balance 2^128":    {genesisFile([]string{with(`"10"`, `"340282366920938463463374607431768211456"`)}), []string{"account 0", "2^128"}},
		"balance negative": {genesisFile([]string{with(`"10"`, `"-1"`)}), []string{"account 0", "not a decimal number"}},
		"sum 2^128":        {genesisFile([]string{with(`"10"`, `"`+largest+`"`), with(`"10"`, `"1"`)}), []string{"account 1", "sum of token 0", "2^128"}},
		"two fee accounts": {genesisFile([]string{good, good}, `{"token":0,"index":0}`, `{"token":0,"index":1}`), []string{"token 0", "expected one"}},
		"fee beyond":       {genesisFile([]string{good}, `{"token":0,"index":1}`), []string{"fee account 1", "does not exist"}},
		"fee other token":  {genesisFile([]string{good}, `{"token":1,"index":0}`), []string{"fee account 0", "holds token 0", "expected token 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := state.ParseGenesis(c.file)
			require.ErrorIs(t, err, state.ErrGenesis)
			require.Nil(t, g)
			for _, text := range c.says {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// A genesis made by hand passes the same checks before it becomes a state.
func TestGenesisStateValidates(t *testing.T) {
	g := &state.Genesis{Accounts: []state.GenesisAccount{{L1: settle.Address{1}}}}
	_, err := g.State(poseidon.New(), fr.Element{})
	require.ErrorIs(t, err, state.ErrGenesis)
	_, err = g.Root(poseidon.New())
	require.ErrorIs(t, err, state.ErrGenesis)
}
