package settle_test

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// FuzzText reads one text as each of the vocabulary's types, and compares with
// patterns and math/big.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		"0", "1", "01", "-1", "+1", "1e3", "1.0", "", " 1", "1_000", "９",
		"340282366920938463463374607431768211455", "340282366920938463463374607431768211456", strings.Repeat("9", 40),
		"transfer", "open", "exit", "exit-all", "none", "Transfer", "kind(7)",
		"0x", "0x" + strings.Repeat("aB", 20), "0X" + strings.Repeat("ab", 20), "0x" + strings.Repeat("0f", 32),
		"0x" + strings.Repeat("g", 64), "0x" + strings.Repeat("é", 20), "\x00", `"`, "\xff",
	} {
		f.Add(text)
	}
	decimal, limit := regexp.MustCompile(`^(0|[1-9][0-9]*)$`), new(big.Int).Lsh(big.NewInt(1), 128)
	f.Fuzz(func(t *testing.T, text string) {
		value, ok := new(big.Int), decimal.MatchString(text)
		if ok {
			value.SetString(text, 10)
			ok = value.Cmp(limit) < 0
		}
		amount, err := settle.ParseAmount(text)
		require.Equal(t, ok, err == nil, "%q: %v", text, err)
		if ok {
			require.Equal(t, text, amount.String())
			require.Zero(t, value.Cmp(amount.Big()))
		}
		requireAmountJSON(t, text, amount, ok)

		if kind, err := settle.ParseKind(text); err == nil {
			require.Equal(t, text, kind.String())
			require.Contains(t, []settle.Kind{settle.KindTransfer, settle.KindOpen, settle.KindExit, settle.KindExitAll}, kind)
		}
		requireHex(t, text, 20, new(settle.Address))
		requireHex(t, text, 32, new(settle.Element))
		requireHex(t, text, 32, new(settle.Hash))
	})
}

// requireAmountJSON reads the text as JSON and, quoted, as what the JSON of an amount holds.
func requireAmountJSON(t *testing.T, text string, amount settle.Amount, ok bool) {
	t.Helper()
	quoted, err := json.Marshal(text)
	require.NoError(t, err)
	var read settle.Amount
	if err := json.Unmarshal(quoted, &read); ok {
		require.NoError(t, err)
		require.Equal(t, amount, read)
		written, err := json.Marshal(read)
		require.NoError(t, err)
		require.Equal(t, string(quoted), string(written))
	} else {
		require.Error(t, err)
	}
	// Whatever JSON an amount is read from, it is a string.
	if json.Unmarshal([]byte(text), &read) == nil {
		var s string
		require.NoError(t, json.Unmarshal([]byte(text), &s))
		require.Equal(t, s, read.String())
	}
}

func requireHex(t *testing.T, text string, size int, into interface {
	UnmarshalText(b []byte) error
	String() string
}) {
	t.Helper()
	ok := len(text) == 2+2*size && strings.HasPrefix(text, "0x") && strings.Trim(text[2:], "0123456789abcdefABCDEF") == ""
	err := into.UnmarshalText([]byte(text))
	require.Equal(t, ok, err == nil, "%q: %v", text, err)
	if ok {
		require.Equal(t, strings.ToLower(text), into.String())
	}
}
