package state_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
)

// FuzzPacking takes the signed message, the published record, the leaf and both floats
// apart again, bit by bit, and looks at floats and amounts from both sides.
func FuzzPacking(f *testing.F) {
	f.Add(uint8(1), uint32(1), uint32(2), uint32(3), uint64(4), uint16(5), uint64(6), uint32(7), []byte{8}, uint64(0), uint64(9))
	f.Add(uint8(15), uint32(math.MaxUint32), uint32(math.MaxUint32), uint32(math.MaxUint32), uint64(1<<40-1), uint16(math.MaxUint16), uint64(1<<40-1), uint32(math.MaxUint32),
		bytes.Repeat([]byte{0xff}, 20), uint64(math.MaxUint64), uint64(math.MaxUint64))
	for _, float := range []uint64{1 << 35, 1<<35 | 3435973836, 1<<35 | 3435973837, 28<<35 | 34028236692, 28<<35 | 34028236693, 1<<35 - 1} {
		f.Add(uint8(0), uint32(0), uint32(0), uint32(0), float, uint16(1<<11|204), uint64(0), uint32(0), []byte(nil), uint64(0), uint64(1<<35|1))
		f.Add(uint8(4), uint32(0), uint32(0), uint32(0), float, uint16(1<<11|205), uint64(0), uint32(0), []byte(nil), uint64(1), float)
	}
	f.Fuzz(func(t *testing.T, kind uint8, from, to, token uint32, amount uint64, fee uint16, nonce uint64, until uint32, l1 []byte, hi, lo uint64) {
		tx := state.Transaction{
			Kind: settle.Kind(kind % 16), From: settle.AccountIndex(from), To: settle.AccountIndex(to), Token: settle.TokenID(token),
			Amount: state.Float40(amount % (1 << 40)), Fee: state.Float16(fee), Nonce: settle.Nonce(nonce % (1 << 40)), ValidUntil: settle.BatchNumber(until),
		}
		copy(tx.ToL1[:], l1)
		m := newBits(tx.M())
		require.Equal(t, tx, state.Transaction{
			Kind: settle.Kind(m.take(4)), From: settle.AccountIndex(m.take(32)), To: settle.AccountIndex(m.take(32)), Token: settle.TokenID(m.take(32)),
			Amount: state.Float40(m.take(40)), Fee: state.Float16(m.take(16)), Nonce: settle.Nonce(m.take(40)), ValidUntil: settle.BatchNumber(m.take(32)), ToL1: tx.ToL1,
		})
		require.Zero(t, m.take(26), "228 bits")

		record := publicdata.Transfer{Kind: tx.Kind, From: tx.From, To: tx.To, Amount: uint64(tx.Amount), Fee: uint16(tx.Fee)}
		r := newBits(record.Record())
		require.Equal(t, record, publicdata.Transfer{
			Kind: settle.Kind(r.take(4)), From: settle.AccountIndex(r.take(32)), To: settle.AccountIndex(r.take(32)), Amount: r.take(40), Fee: uint16(r.take(16)),
		})
		require.Equal(t, strings.Repeat("0", 132), r.text, "124 bits")

		exact := settle.Amount{Hi: hi, Lo: lo}
		leaf := state.Account{Token: tx.Token, Nonce: tx.Nonce, Balance: exact, L1: tx.ToL1}.Elements()
		second, balance, address := newBits(leaf[1]), newBits(leaf[2]), leaf[3].Bytes()
		require.Equal(t, []uint64{uint64(token), uint64(tx.Nonce), 0}, []uint64{second.take(32), second.take(40), second.take(64)})
		require.Equal(t, exact, settle.Amount{Lo: balance.take(64), Hi: balance.take(64)})
		require.Equal(t, append(make([]byte, 12), tx.ToL1[:]...), address[:])

		requireBothWays(t, float{35, uint64(tx.Amount)}, float{35, lo % (1 << 40)}, exact)
		requireBothWays(t, float{11, uint64(fee)}, float{11, lo % (1 << 16)}, exact)
		requireBothWays(t, float{35, uint64(tx.Amount)}, float{35, nonce % (1 << 40)}, settle.NewAmount(lo))
		requireBothWays(t, float{11, uint64(fee)}, float{11, uint64(until % (1 << 16))}, settle.NewAmount(lo))
	})
}

// bits are those of an element, lowest first.
type bits struct{ text string }

func newBits(e fr.Element) *bits {
	text := []byte(fmt.Sprintf("%0256b", e.BigInt(new(big.Int))))
	slices.Reverse(text)
	return &bits{string(text)}
}

func (b *bits) take(n int) (v uint64) {
	for i := range n {
		v |= uint64(b.text[i]-'0') << i
	}
	b.text = b.text[n:]
	return v
}

// float is a float of either width, with its value written out: a mantissa and zeros.
type float struct {
	mantissa int
	encoding uint64
}

func (f float) value() *big.Int {
	v, _ := new(big.Int).SetString(fmt.Sprint(f.encoding%(1<<f.mantissa))+strings.Repeat("0", int(f.encoding>>f.mantissa)), 10)
	return v
}

// short reports whether a smaller exponent would do.
func (f float) short() bool {
	for e := range int(f.encoding >> f.mantissa) {
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e)), nil)
		if rest := new(big.Int); new(big.Int).Div(f.value(), scale).BitLen() <= f.mantissa && rest.Mod(f.value(), scale).Sign() == 0 {
			return false
		}
	}
	return true
}

// next is the canonical encoding behind a canonical one.
func (f float) next() float {
	next := float{f.mantissa, f.encoding + 1}
	for ; !next.short(); next.encoding = next.encoding>>f.mantissa<<f.mantissa | (1<<f.mantissa+9)/10 {
	}
	return next
}

func (f float) read() (value *big.Int, canonical bool) {
	if f.mantissa == 35 {
		return state.Float40(f.encoding).Value(), state.Float40(f.encoding).Canonical()
	}
	return state.Float16(f.encoding).Value(), state.Float16(f.encoding).Canonical()
}

func (f float) encode(a settle.Amount) (float, error) {
	if f.mantissa == 35 {
		e, err := state.NewFloat40(a)
		return float{35, uint64(e)}, err
	}
	e, err := state.NewFloat16(a)
	return float{11, uint64(e)}, err
}

func requireBothWays(t *testing.T, f, other float, exact settle.Amount) {
	t.Helper()
	value, canonical := f.read()
	require.Zero(t, value.Cmp(f.value()))
	require.Equal(t, f.short(), canonical)
	if amount, err := settle.AmountFromBig(value); err == nil {
		again, err := f.encode(amount)
		require.NoError(t, err)
		require.Equal(t, canonical, again == f)
		require.True(t, again.short())
	} else {
		require.Greater(t, value.BitLen(), 128)
	}
	if otherValue, also := other.read(); canonical && also {
		require.Equal(t, f.encoding < other.encoding, value.Cmp(otherValue) < 0, "canonical encodings are in the order of their values")
	}
	encoded, err := f.encode(exact)
	if err == nil {
		require.Zero(t, encoded.value().Cmp(exact.Big()))
		require.True(t, encoded.short())
		return
	}
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	require.Equal(t, settle.CodeAmountUnfit, refusal.Code)
	nearest, err := settle.ParseAmount(refusal.Detail[strings.LastIndex(refusal.Detail, " ")+1:])
	require.NoError(t, err)
	below, err := f.encode(nearest)
	require.NoError(t, err, "the amount that the refusal names is refused")
	require.Negative(t, nearest.Cmp(exact))
	if next := below.next(); next.encoding>>f.mantissa < 32 {
		require.Positive(t, next.value().Cmp(exact.Big()), "there is one nearer than %s", nearest)
	}
}

// FuzzParseGenesis: what is taken is what a second, plain reading finds, and our own
// encoding of it is taken as the same, with the hash that docs/protocol.md gives.
func FuzzParseGenesis(f *testing.F) {
	for _, v := range makeGenesisVectors(f) {
		f.Add([]byte(v.File))
	}
	f.Add([]byte("{}"))
	f.Add([]byte("[]"))
	f.Add([]byte(`{"accounts":[{}],"fee_accounts":[{}]}`))
	f.Add([]byte(`{"accounts":null,"fee_accounts":null}`))
	f.Add([]byte(`{"accounts":[],"fee_accounts":[{"token":1,"index":0}]`))
	f.Add([]byte(`{"\u0061ccounts":[],"fee_accounts":[{"token":1,"index":null}]}`))
	hasher := poseidon.New()
	f.Fuzz(func(t *testing.T, file []byte) {
		var g *state.Genesis
		var err error
		require.Less(t, heap.Allocated(func() { g, err = state.ParseGenesis(file) }), uint64(8<<20+512*len(file)))
		if err != nil {
			require.ErrorIs(t, err, state.ErrGenesis)
			require.Nil(t, g)
			return
		}
		canonical := readGenesisPlainly(t, file)
		require.Equal(t, settle.Hash(sha256.Sum256([]byte(canonical))), g.Hash())
		again, err := state.ParseGenesis([]byte(canonical))
		require.NoError(t, err)
		require.Equal(t, g.Accounts, again.Accounts)
		require.ElementsMatch(t, g.FeeAccounts, again.FeeAccounts)
		root, err := g.Root(hasher)
		require.NoError(t, err)
		same, err := again.Root(hasher)
		require.NoError(t, err)
		require.Equal(t, root, same)
	})
}

// readGenesisPlainly checks a genesis file that was taken, by patterns and math/big, and
// returns its canonical form.
func readGenesisPlainly(t *testing.T, file []byte) string {
	t.Helper()
	var lists map[string][]map[string]any
	d := json.NewDecoder(bytes.NewReader(file))
	d.UseNumber()
	require.NoError(t, d.Decode(&lists))
	require.Len(t, lists, 2)
	text := func(v any, pattern string) string {
		s := fmt.Sprint(v) // of a string or a json.Number
		require.Regexp(t, pattern, s)
		return s
	}
	const number = `^(0|[1-9][0-9]*)$`
	below := func(decimal string, bits int) *big.Int {
		v, ok := new(big.Int).SetString(decimal, 10)
		require.True(t, ok)
		require.LessOrEqual(t, v.BitLen(), bits)
		return v
	}
	var accounts, fees []string
	sums, tokens := map[string]*big.Int{}, []string{}
	for _, a := range lists["accounts"] {
		require.Len(t, a, 4)
		owner, l1 := strings.ToLower(text(a["owner"], `^0x[0-9a-fA-F]{64}$`)), strings.ToLower(text(a["l1"], `^0x[0-9a-fA-F]{40}$`))
		require.NotEqual(t, "0x"+strings.Repeat("0", 40), l1)
		requireOnCurve(t, owner)
		token, balance := text(a["token"], number), text(a["balance"], number)
		require.IsType(t, "", a["balance"])
		below(token, 32)
		tokens = append(tokens, token)
		if sums[token] == nil {
			sums[token] = new(big.Int)
		}
		require.LessOrEqual(t, sums[token].Add(sums[token], below(balance, 128)).BitLen(), 128)
		accounts = append(accounts, fmt.Sprintf(`{"owner":"%s","token":%s,"balance":"%s","l1":"%s"}`, owner, token, balance, l1))
	}
	slices.SortFunc(lists["fee_accounts"], func(a, b map[string]any) int {
		return below(text(a["token"], number), 32).Cmp(below(text(b["token"], number), 32))
	})
	for i, fee := range lists["fee_accounts"] {
		require.Len(t, fee, 2)
		index := below(text(fee["index"], number), 32).Int64()
		require.Less(t, index, int64(len(tokens)))
		require.Equal(t, tokens[index], text(fee["token"], number))
		if i > 0 {
			require.NotEqual(t, lists["fee_accounts"][i-1]["token"], fee["token"])
		}
		fees = append(fees, fmt.Sprintf(`{"token":%s,"index":%d}`, fee["token"], index))
	}
	return fmt.Sprintf(`{"accounts":[%s],"fee_accounts":[%s]}`, strings.Join(accounts, ","), strings.Join(fees, ","))
}

// requireOnCurve: y² = x³ - 17 has a solution modulo r.
func requireOnCurve(t *testing.T, owner string) {
	t.Helper()
	x, ok := new(big.Int).SetString(owner[2:], 16)
	require.True(t, ok)
	require.Negative(t, x.Cmp(fr.Modulus()))
	square := new(big.Int).Exp(x, big.NewInt(3), fr.Modulus())
	square.Sub(square, big.NewInt(17)).Mod(square, fr.Modulus())
	require.NotEqual(t, -1, big.Jacobi(square, fr.Modulus()))
}
