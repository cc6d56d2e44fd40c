package settle_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
)

func TestKinds(t *testing.T) {
	for k, name := range map[settle.Kind]string{
		settle.KindTransfer: "transfer", settle.KindOpen: "open", settle.KindExit: "exit", settle.KindExitAll: "exit-all",
	} {
		require.Equal(t, name, k.String())
		parsed, err := settle.ParseKind(name)
		require.NoError(t, err)
		require.Equal(t, k, parsed)
	}
	require.Equal(t, "none", settle.KindNone.String())
	require.Equal(t, "kind(9)", settle.Kind(9).String())
	for _, s := range []string{"", "none", "Transfer", "transfer ", "kind(9)"} {
		_, err := settle.ParseKind(s)
		require.ErrorContains(t, err, "expected transfer, open, exit or exit-all", s)
	}
	// The numbers are signed and published: they never change.
	require.Equal(t, []settle.Kind{0, 1, 2, 3, 4},
		[]settle.Kind{settle.KindNone, settle.KindTransfer, settle.KindOpen, settle.KindExit, settle.KindExitAll})
	require.Equal(t, []settle.L1Kind{1, 2, 3}, []settle.L1Kind{settle.L1Deposit, settle.L1DepositOpen, settle.L1ForcedExit})
	require.Equal(t, settle.Nonce(1<<40-1), settle.MaxNonce)
}

func TestHexText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type all struct {
			Address settle.Address
			Element settle.Element
			Hash    settle.Hash
		}
		b := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "bytes")
		v := all{settle.Address(b[:20]), settle.Element(b), settle.Hash(b)}
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		require.JSONEq(t, fmt.Sprintf(`{"Address":"0x%x","Element":"0x%x","Hash":"0x%x"}`, b[:20], b, b), string(encoded))
		var decoded all
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, v, decoded)
	})
	good := strings.Repeat("ab", 20)
	for _, s := range []string{"", "0x", good, "0X" + good, "0x" + good[1:], "0x" + good + "0", "0x" + good + "00", "0x" + good[:39] + "g", "0x" + strings.Repeat(" ", 40)} {
		var a settle.Address
		require.Error(t, a.UnmarshalText([]byte(s)), s)
	}
	long := strings.Repeat("x", 1<<20)
	_, err := settle.ParseKind(long)
	for _, err := range []error{err, new(settle.Hash).UnmarshalText([]byte(long))} {
		require.Less(t, len(err.Error()), 200, "a long input is not echoed in full")
	}
	var a settle.Address
	require.NoError(t, a.UnmarshalText([]byte("0x"+strings.ToUpper(good))))
	require.Equal(t, "0x"+good, a.String())
}

func TestCapacityFits(t *testing.T) {
	c := settle.Capacity{Transfers: 1, Accounts: 2, Nodes: 3, FeeAccounts: 4, Opens: 5, Exits: 6, L1Ops: 7}
	require.True(t, c.Fits(c))
	require.True(t, c.Fits(settle.Usage{}))
	for name, grow := range map[string]func(*settle.Usage){
		"transfers":    func(u *settle.Usage) { u.Transfers++ },
		"accounts":     func(u *settle.Usage) { u.Accounts++ },
		"nodes":        func(u *settle.Usage) { u.Nodes++ },
		"fee accounts": func(u *settle.Usage) { u.FeeAccounts++ },
		"opens":        func(u *settle.Usage) { u.Opens++ },
		"exits":        func(u *settle.Usage) { u.Exits++ },
		"L1 ops":       func(u *settle.Usage) { u.L1Ops++ },
	} {
		u := c
		grow(&u)
		require.False(t, c.Fits(u), name)
		require.True(t, u.Fits(c), name)
	}
}

func TestRefusal(t *testing.T) {
	err := fmt.Errorf("item 3: %w", settle.Refuse(settle.CodeStaleNonce, "nonce %d is used", 4))
	require.EqualError(t, err, "item 3: stale_nonce: nonce 4 is used")
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	require.Equal(t, settle.CodeStaleNonce, refusal.Code)
	require.Equal(t, "nonce 4 is used", refusal.Detail)
	for _, other := range []error{nil, errors.New("connection refused")} {
		_, ok = settle.AsRefusal(other)
		require.False(t, ok)
	}
}

// The vocabulary imports the standard library only.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	require.NoError(t, err)
	for _, path := range p.Imports {
		require.NotContains(t, path, ".", "package settle imports %s", path)
	}
}
