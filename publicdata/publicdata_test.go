package publicdata_test

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

func drawElement(t *rapid.T) (e fr.Element) {
	if rapid.Bool().Draw(t, "below r") {
		e.SetUint64(rapid.Uint64Max(2).Draw(t, "small"))
		e.Neg(&e)
		return e
	}
	e.SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "element"))
	return e
}

func drawAddress(t *rapid.T) settle.Address {
	return settle.Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
}

func drawAmount(t *rapid.T) settle.Amount {
	word := rapid.OneOf(rapid.Uint64(), rapid.Just[uint64](math.MaxUint64))
	return settle.Amount{Hi: word.Draw(t, "hi"), Lo: word.Draw(t, "lo")}
}

func drawData(t *rapid.T) *publicdata.Data {
	word := rapid.OneOf(rapid.Uint32(), rapid.Just[uint32](math.MaxUint32))
	token := func() settle.TokenID { return settle.TokenID(word.Draw(t, "token")) }
	index := func() settle.AccountIndex { return settle.AccountIndex(word.Draw(t, "index")) }
	count := func() int { return rapid.IntRange(0, 4).Draw(t, "count") }
	d := &publicdata.Data{Header: publicdata.Header{
		Number: settle.BatchNumber(word.Draw(t, "number")), OldRoot: drawElement(t), NewRoot: drawElement(t), Domain: drawElement(t),
	}}
	for range count() {
		d.FeeAccounts = append(d.FeeAccounts, publicdata.FeeAccount{Token: token(), Index: index()})
	}
	for range count() {
		d.L1Ops = append(d.L1Ops, publicdata.L1Op{
			Kind: settle.L1Kind(rapid.IntRange(1, 3).Draw(t, "kind")), Applied: rapid.Bool().Draw(t, "applied"),
			Index: index(), Token: token(), Amount: drawAmount(t), L1: drawAddress(t), Owner: drawElement(t),
		})
	}
	for range count() {
		x := publicdata.Transfer{
			Kind: settle.Kind(rapid.IntRange(1, 4).Draw(t, "kind")), From: index(), To: index(),
			Amount: rapid.Uint64Max(1<<40-1).Draw(t, "amount"), Fee: rapid.Uint16().Draw(t, "fee"),
		}
		if x.Kind >= settle.KindExit {
			x.To = 0
		}
		if x.Kind == settle.KindExitAll {
			x.Amount = 0
		}
		d.Transfers = append(d.Transfers, x)
	}
	opens, exits := naiveRecords(d)
	for range opens {
		d.Opens = append(d.Opens, publicdata.Open{Owner: drawElement(t), L1: drawAddress(t)})
	}
	for range exits {
		d.Exits = append(d.Exits, publicdata.Exit{L1: drawAddress(t), Token: token(), Amount: drawAmount(t)})
	}
	return d
}

// naiveRecords counts the opens and exits that the other records of d ask for.
func naiveRecords(d *publicdata.Data) (opens, exits int) {
	kinds := map[settle.Kind]int{}
	for _, x := range d.Transfers {
		kinds[x.Kind]++
	}
	for _, op := range d.L1Ops {
		if op.Applied {
			kinds[16*settle.Kind(op.Kind)]++
		}
	}
	return kinds[2], kinds[3] + kinds[4] + kinds[16*3]
}

// Data whose sections do not belong together is not read, whatever their number.
func TestParseRelatesRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t)
		require.NoError(t, d.CheckRecords())
		spoil := map[string]func(){
			"an open more": func() { d.Opens = append(d.Opens, publicdata.Open{Owner: drawElement(t)}) },
			"an exit more": func() { d.Exits = append(d.Exits, publicdata.Exit{Amount: drawAmount(t)}) },
			"an applied forced exit without exit": func() {
				d.L1Ops = append(d.L1Ops, publicdata.L1Op{Kind: settle.L1ForcedExit, Applied: true})
			},
			"an open instead of an exit": func() {
				d.Transfers = append(d.Transfers, publicdata.Transfer{Kind: settle.KindOpen})
				d.Exits = append(d.Exits, publicdata.Exit{})
			},
		}
		if len(d.Opens) > 0 {
			spoil["an open less"] = func() { d.Opens = d.Opens[1:] }
			spoil["an exit instead of an open"] = func() {
				d.Opens = d.Opens[1:]
				d.Exits = append(d.Exits, publicdata.Exit{})
			}
		}
		if len(d.Exits) > 0 {
			spoil["an exit less"] = func() { d.Exits = d.Exits[1:] }
		}
		for i := range d.Transfers {
			x := &d.Transfers[i]
			spoil["another kind"] = func() { x.Kind = x.Kind%4 + 1; x.To, x.Amount = 7, 7 }
			spoil["no kind"] = func() { x.Kind = 0 }
			if x.Kind >= settle.KindExit {
				spoil["exit with a receiver"] = func() { x.To = 1 }
			}
			if x.Kind == settle.KindExitAll {
				spoil["exit-all with an amount"] = func() { x.Amount = 1 }
			}
		}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(spoil))).Draw(t, "spoil")
		spoil[name]()
		require.ErrorIs(t, d.CheckRecords(), publicdata.ErrMalformed, name)
		_, err := publicdata.Parse(d.Words())
		require.ErrorIs(t, err, publicdata.ErrMalformed, name)
	})
}

// A forced exit that was nullified has no exit.
func TestNullifiedForcedExitHasNoExit(t *testing.T) {
	d := &publicdata.Data{L1Ops: []publicdata.L1Op{{Kind: settle.L1ForcedExit}}}
	require.NoError(t, d.CheckRecords())
	d.Exits = []publicdata.Exit{{}}
	require.ErrorIs(t, d.CheckRecords(), publicdata.ErrMalformed)
	d.L1Ops[0].Applied = true
	require.NoError(t, d.CheckRecords(), "its amount may be 0")
	d.L1Ops[0].Kind = settle.L1DepositOpen
	require.ErrorIs(t, d.CheckRecords(), publicdata.ErrMalformed)
}

func capacityOf(d *publicdata.Data) settle.Capacity {
	return settle.Capacity{
		FeeAccounts: len(d.FeeAccounts), L1Ops: len(d.L1Ops), Transfers: len(d.Transfers), Opens: len(d.Opens), Exits: len(d.Exits),
	}
}

func requireWords(t require.TestingT, want []*big.Int, got []fr.Element) {
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].Text(16), integer(got[i]).Text(16), "word %d", i)
	}
}

func TestAgainstReference(t *testing.T) {
	h := poseidon.New()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t)
		words := d.Words()
		requireWords(t, naiveWords(d), words)
		require.Len(t, words, publicdata.Length(len(d.FeeAccounts), len(d.L1Ops), len(d.Transfers), len(d.Opens), len(d.Exits)))
		parsed, err := publicdata.Parse(words)
		require.NoError(t, err)
		require.Equal(t, d, parsed)

		shape := capacityOf(d)
		for _, more := range []*int{&shape.FeeAccounts, &shape.L1Ops, &shape.Transfers, &shape.Opens, &shape.Exits} {
			*more += rapid.IntRange(0, 2).Draw(t, "spare")
		}
		require.Len(t, naiveBody(d, shape), publicdata.BodyWords(shape))
		inputs, err := d.PublicInputs(h, shape)
		require.NoError(t, err)
		c := naiveCommitment(d, shape, len(words))
		zeta := naiveChallenge(c, naiveWords(d))
		requireWords(t, []*big.Int{integer(c), zeta, naiveEvaluate(naiveWords(d), zeta)}, inputs[:])
		require.LessOrEqual(t, zeta.BitLen(), publicdata.ChallengeBits)
	})
}

// v cannot tell D from D‖0: that is why c holds the length, and L1 requires it.
func TestTrailingZero(t *testing.T) {
	h := poseidon.New()
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t)
		words := d.Words()
		longer := append(append([]fr.Element{}, words...), fr.Element{})
		zeta := drawElement(t)
		require.Equal(t, publicdata.Evaluate(words, zeta), publicdata.Evaluate(longer, zeta))

		shape := capacityOf(d)
		shape.FeeAccounts++
		c, err := d.Commitment(h, shape)
		require.NoError(t, err)
		require.Equal(t, naiveCommitment(d, shape, len(words)), c)
		require.NotEqual(t, naiveCommitment(d, shape, len(longer)), c, "c holds the length")
		require.NotEqual(t, publicdata.Challenge(c, words), publicdata.Challenge(c, longer), "ζ hashes every word")
		_, err = publicdata.Parse(longer)
		require.ErrorIs(t, err, publicdata.ErrMalformed, "the counts give the length")
	})
}

func TestCommitmentDependsOn(t *testing.T) {
	h := poseidon.New()
	d, shape := fullData(), capacityOf(fullData())
	base, err := d.Commitment(h, shape)
	require.NoError(t, err)
	for i := range d.Words() {
		words := d.Words()
		words[i].Add(&words[i], new(fr.Element).SetOne())
		other, err := publicdata.Parse(words)
		if err != nil {
			continue // a count or a kind
		}
		c, err := other.Commitment(h, shape)
		require.NoError(t, err)
		require.NotEqual(t, base, c, "word %d", i)
	}
	for name, more := range map[string]func(*settle.Capacity){
		"fee accounts": func(c *settle.Capacity) { c.FeeAccounts++ },
		"L1 ops":       func(c *settle.Capacity) { c.L1Ops++ },
		"transfers":    func(c *settle.Capacity) { c.Transfers += 2 },
		"opens":        func(c *settle.Capacity) { c.Opens++ },
		"exits":        func(c *settle.Capacity) { c.Exits++ },
	} {
		wider := shape
		more(&wider)
		c, err := d.Commitment(h, wider)
		require.NoError(t, err)
		require.NotEqual(t, base, c, name)
	}
}

func TestCommitmentRefusesOverflow(t *testing.T) {
	h := poseidon.New()
	d := fullData()
	for name, less := range map[string]func(*settle.Capacity){
		"fee accounts": func(c *settle.Capacity) { c.FeeAccounts-- },
		"L1 ops":       func(c *settle.Capacity) { c.L1Ops-- },
		"transfers":    func(c *settle.Capacity) { c.Transfers-- },
		"opens":        func(c *settle.Capacity) { c.Opens-- },
		"exits":        func(c *settle.Capacity) { c.Exits-- },
	} {
		shape := capacityOf(d)
		less(&shape)
		_, err := d.Commitment(h, shape)
		require.ErrorIs(t, err, publicdata.ErrCapacity, name)
		_, err = d.PublicInputs(h, shape)
		require.ErrorIs(t, err, publicdata.ErrCapacity, name)
	}
}

// setBit returns the words of d with one bit of one word set.
func setBit(d *publicdata.Data, word, bit int) []fr.Element {
	words := d.Words()
	v := integer(words[word])
	words[word].SetBigInt(v.SetBit(v, bit, 1))
	return words
}

func TestParseRefuses(t *testing.T) {
	full := fullData() // 2 fee accounts, 3 L1 operations, 5 transfers, 1 open, 2 exits
	const (
		fees, ops = 5, 7
		transfers = 16
		opens     = 19
		exits     = 21
		length    = 25
	)
	require.Len(t, full.Words(), length)
	with := func(change func(*publicdata.Data)) []fr.Element {
		d := fullData()
		change(d)
		return d.Words()
	}
	counts := func(i int, n uint64) []fr.Element {
		words := full.Words()
		v := integer(words[4])
		old := new(big.Int).And(new(big.Int).Rsh(v, uint(32*i)), big.NewInt(math.MaxUint32))
		v.Sub(v, old.Lsh(old, uint(32*i)))
		words[4].SetBigInt(v.Add(v, new(big.Int).Lsh(new(big.Int).SetUint64(n), uint(32*i))))
		return words
	}
	cases := map[string][]fr.Element{
		"nothing":                  nil,
		"half a header":            full.Words()[:4],
		"a word less":              full.Words()[:length-1],
		"a word more":              append(full.Words(), fr.Element{}),
		"number of 33 bits":        setBit(full, 0, 32),
		"six counts":               setBit(full, 4, 160),
		"fee account of 65 bits":   setBit(full, fees+1, 64),
		"L1 op of 198 bits":        setBit(full, ops, 197),
		"L1 op's l1 of 161 bits":   setBit(full, ops+1, 160),
		"pair of 249 bits":         setBit(full, transfers, 248),
		"odd half not 0, low bit":  setBit(full, transfers+2, 124),
		"odd half not 0, high bit": setBit(full, transfers+2, 247),
		"last word above a pair":   setBit(full, transfers+2, 252),
		"open's l1 of 161 bits":    setBit(full, opens+1, 160),
		"exit of 193 bits":         setBit(full, exits, 192),
		"exit's amount of 2^128":   setBit(full, exits+1, 128),
		"L1 op of kind 0":          with(func(d *publicdata.Data) { d.L1Ops[1].Kind = 0 }),
	}
	for i, name := range []string{"fee accounts", "L1 ops", "transfers", "opens", "exits"} {
		cases["2^32-1 "+name] = counts(i, math.MaxUint32)
		cases["no "+name] = counts(i, 0)
	}
	for kind := settle.L1Kind(4); kind < 16; kind++ {
		cases["L1 op of kind "+string('a'+rune(kind))] = with(func(d *publicdata.Data) { d.L1Ops[0].Kind = kind })
	}
	for _, kind := range []settle.Kind{0, 5, 8, 15} {
		for i := range full.Transfers {
			cases["transfer of "+kind.String()+string('0'+rune(i))] = with(func(d *publicdata.Data) { d.Transfers[i].Kind = kind })
		}
	}
	for name, words := range cases {
		d, err := publicdata.Parse(words)
		require.ErrorIs(t, err, publicdata.ErrMalformed, name)
		require.Nil(t, d, name)
	}
	// An even number of transfers leaves no half word.
	pair := with(func(d *publicdata.Data) { d.Transfers = d.Transfers[:4] })
	_, err := publicdata.Parse(pair)
	require.NoError(t, err)
}

// A kind-0 record is a padding slot of the circuit and takes no room in D.
func TestRecordWidths(t *testing.T) {
	require.Equal(t, 124, publicdata.TransferRecordBits)
	require.Equal(t, publicdata.Transfer{}.Record(), fr.Element{})
	most := publicdata.Transfer{Kind: 15, From: math.MaxUint32, To: math.MaxUint32, Amount: 1<<40 - 1, Fee: math.MaxUint16}
	require.Equal(t, 124, integer(most.Record()).BitLen())
	require.Panics(t, func() { publicdata.Transfer{Amount: 1 << 40}.Record() })
	require.Panics(t, func() { publicdata.Transfer{Kind: 16}.Record() })
	require.Panics(t, func() { publicdata.Pack(publicdata.Field{Value: big.NewInt(-1), Bits: 8}) })
	require.Panics(t, func() { publicdata.Pack(publicdata.U(1, 128), publicdata.U(1, 126)) }, "254 bits may exceed r")
	require.NotPanics(t, func() { publicdata.Pack(publicdata.U(1, 128), publicdata.U(1, 125)) })
}

func TestDomain(t *testing.T) {
	rollup := settle.Address{0: 0xab, 19: 0xcd}
	domain := publicdata.Domain(math.MaxUint64, rollup)
	require.Equal(t, "ffffffffffffffff"+rollup.String()[2:], integer(domain).Text(16))
	require.NotEqual(t, domain, publicdata.Domain(1, rollup))
}

func FuzzParse(f *testing.F) {
	for _, d := range vectorData() {
		var seed []byte
		for _, w := range d.Words() {
			b := w.Bytes()
			seed = append(seed, b[:]...)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		words := make([]fr.Element, len(b)/32)
		for i := range words {
			words[i].SetBytes(b[32*i : 32*i+32])
		}
		d, err := publicdata.Parse(words)
		if err != nil {
			require.ErrorIs(t, err, publicdata.ErrMalformed)
			return
		}
		require.Equal(t, words, d.Words(), "D has one encoding")
		opens, exits := naiveRecords(d)
		require.Equal(t, []int{opens, exits}, []int{len(d.Opens), len(d.Exits)})
		requireWords(t, naiveWords(d), words)
	})
}
