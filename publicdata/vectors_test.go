package publicdata_test

import (
	"encoding/json"
	"flag"
	"math"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

var update = flag.Bool("update", false, "rewrite testdata")

// vectorFile is one list of Data under a shape each. Elements are 0x and 64
// digits; counts are in the header's order: fee accounts, L1 operations,
// transfers, opens, exits.
type vectorFile struct {
	Vectors []dataVector `json:"vectors"`
}

type dataVector struct {
	Name         string            `json:"name"`
	Shape        settle.Capacity   `json:"shape"`
	Data         dataJSON          `json:"data"`
	Counts       [5]int            `json:"counts"`
	Words        []settle.Element  `json:"words"`
	BodyWords    int               `json:"body_words"`
	Commitment   settle.Element    `json:"commitment"`
	Zeta         settle.Element    `json:"zeta"`
	Value        settle.Element    `json:"value"`
	PublicInputs [3]settle.Element `json:"public_inputs"`
}

type dataJSON struct {
	Number      uint32           `json:"number"`
	OldRoot     settle.Element   `json:"old_root"`
	NewRoot     settle.Element   `json:"new_root"`
	Domain      settle.Element   `json:"domain"`
	FeeAccounts []feeAccountJSON `json:"fee_accounts"`
	L1Ops       []l1OpJSON       `json:"l1_ops"`
	Transfers   []transferJSON   `json:"transfers"`
	Opens       []openJSON       `json:"opens"`
	Exits       []exitJSON       `json:"exits"`
}

type feeAccountJSON struct {
	Token uint32 `json:"token"`
	Index uint32 `json:"index"`
}

type l1OpJSON struct {
	Kind    uint8          `json:"kind"`
	Applied bool           `json:"applied"`
	Index   uint32         `json:"index"`
	Token   uint32         `json:"token"`
	Amount  settle.Amount  `json:"amount"`
	L1      settle.Address `json:"l1"`
	Owner   settle.Element `json:"owner"`
}

type transferJSON struct {
	Kind   uint8  `json:"kind"`
	From   uint32 `json:"from"`
	To     uint32 `json:"to"`
	Amount uint64 `json:"amount_float40"`
	Fee    uint16 `json:"fee_float16"`
}

type openJSON struct {
	Owner settle.Element `json:"owner"`
	L1    settle.Address `json:"l1"`
}

type exitJSON struct {
	L1     settle.Address `json:"l1"`
	Token  uint32         `json:"token"`
	Amount settle.Amount  `json:"amount"`
}

func toJSON(d *publicdata.Data) dataJSON {
	j := dataJSON{
		Number: uint32(d.Header.Number), OldRoot: d.Header.OldRoot.Bytes(), NewRoot: d.Header.NewRoot.Bytes(), Domain: d.Header.Domain.Bytes(),
		FeeAccounts: []feeAccountJSON{}, L1Ops: []l1OpJSON{}, Transfers: []transferJSON{}, Opens: []openJSON{}, Exits: []exitJSON{},
	}
	for _, f := range d.FeeAccounts {
		j.FeeAccounts = append(j.FeeAccounts, feeAccountJSON{uint32(f.Token), uint32(f.Index)})
	}
	for _, o := range d.L1Ops {
		j.L1Ops = append(j.L1Ops, l1OpJSON{uint8(o.Kind), o.Applied, uint32(o.Index), uint32(o.Token), o.Amount, o.L1, o.Owner.Bytes()})
	}
	for _, t := range d.Transfers {
		j.Transfers = append(j.Transfers, transferJSON{uint8(t.Kind), uint32(t.From), uint32(t.To), t.Amount, t.Fee})
	}
	for _, o := range d.Opens {
		j.Opens = append(j.Opens, openJSON{o.Owner.Bytes(), o.L1})
	}
	for _, x := range d.Exits {
		j.Exits = append(j.Exits, exitJSON{x.L1, uint32(x.Token), x.Amount})
	}
	return j
}

// wide is an element of full width that depends on i: a power of 7.
func wide(i int64) (e fr.Element) {
	e.Exp(fr.NewElement(7), big.NewInt(1000+i))
	return e
}

func header(number settle.BatchNumber) publicdata.Header {
	return publicdata.Header{
		Number: number, OldRoot: wide(1), NewRoot: wide(2), Domain: publicdata.Domain(1337, settle.Address{0: 0xfe, 19: 0x01}),
	}
}

// fullData has every kind of record.
func fullData() *publicdata.Data {
	return &publicdata.Data{
		Header:      header(77),
		FeeAccounts: []publicdata.FeeAccount{{Token: 0, Index: 3}, {Token: 9, Index: math.MaxUint32}},
		L1Ops: []publicdata.L1Op{
			{Kind: settle.L1Deposit, Applied: true, Index: 5, Token: 9, Amount: settle.Amount{Hi: 1, Lo: 2}, L1: settle.Address{1}, Owner: wide(3)},
			{Kind: settle.L1DepositOpen, Applied: true, Index: 6, Token: 0, Amount: settle.NewAmount(1000), L1: settle.Address{19: 2}, Owner: wide(4)},
			{Kind: settle.L1ForcedExit, Index: 7, L1: settle.Address{0: 0xff, 19: 0xff}},
		},
		Transfers: []publicdata.Transfer{
			{Kind: settle.KindTransfer, From: 1, To: 2, Amount: 3, Fee: 4},
			{Kind: settle.KindOpen, From: 2, To: 8, Amount: 1<<35 | 3435973837, Fee: 1<<11 | 205},
			{Kind: settle.KindExit, From: 5, Amount: 500, Fee: 1},
			{Kind: settle.KindExitAll, From: 6, Fee: 2047},
			{Kind: settle.KindTransfer, From: math.MaxUint32, To: math.MaxUint32, Amount: 1<<40 - 1, Fee: math.MaxUint16},
		},
		Opens: []publicdata.Open{{Owner: wide(5), L1: settle.Address{19: 8}}},
		Exits: []publicdata.Exit{
			{L1: settle.Address{19: 5}, Token: 9, Amount: settle.NewAmount(500)},
			{L1: settle.Address{19: 6}, Token: math.MaxUint32, Amount: settle.Amount{Hi: math.MaxUint64, Lo: math.MaxUint64}},
		},
	}
}

func vectorData() map[string]*publicdata.Data {
	fee := []publicdata.FeeAccount{{Token: 0, Index: 0}}
	var transfers []publicdata.Transfer
	for i := range settle.AccountIndex(6) {
		transfers = append(transfers, publicdata.Transfer{Kind: settle.KindTransfer, From: i, To: i + 1, Amount: uint64(i) * 100, Fee: uint16(i)})
	}
	return map[string]*publicdata.Data{
		"empty":           {Header: header(1)},
		"one transfer":    {Header: header(2), FeeAccounts: fee, Transfers: transfers[1:2]},
		"two transfers":   {Header: header(3), FeeAccounts: fee, Transfers: transfers[:2]},
		"six transfers":   {Header: header(math.MaxUint32), FeeAccounts: fee, Transfers: transfers},
		"all kinds":       fullData(),
		"L1 operations":   {Header: header(5), L1Ops: fullData().L1Ops},
		"opens and exits": {Header: header(6), FeeAccounts: fee, Transfers: fullData().Transfers[1:4], Opens: fullData().Opens, Exits: fullData().Exits},
	}
}

func makeVectors(t *testing.T) (file vectorFile) {
	h := poseidon.New()
	for _, name := range []string{"empty", "one transfer", "two transfers", "six transfers", "all kinds", "L1 operations", "opens and exits"} {
		d := vectorData()[name]
		for shapeName, shape := range []settle.Capacity{
			{Transfers: 7, Accounts: 16, Nodes: 64, FeeAccounts: 2, Opens: 1, Exits: 3, L1Ops: 3},
			{Transfers: 20, Accounts: 48, Nodes: 256, FeeAccounts: 4, Opens: 8, Exits: 8, L1Ops: 4},
		} {
			c, err := d.Commitment(h, shape)
			require.NoError(t, err)
			zeta := publicdata.Challenge(c, d.Words())
			value := publicdata.Evaluate(d.Words(), zeta)
			inputs, err := d.PublicInputs(h, shape)
			require.NoError(t, err)
			v := dataVector{
				Name: name + []string{", narrow shape", ", wide shape"}[shapeName], Shape: shape, Data: toJSON(d),
				Counts:    [5]int{len(d.FeeAccounts), len(d.L1Ops), len(d.Transfers), len(d.Opens), len(d.Exits)},
				BodyWords: publicdata.BodyWords(shape), Commitment: c.Bytes(), Zeta: zeta.Bytes(), Value: value.Bytes(),
			}
			for _, w := range d.Words() {
				v.Words = append(v.Words, w.Bytes())
			}
			for i := range inputs {
				v.PublicInputs[i] = inputs[i].Bytes()
			}
			file.Vectors = append(file.Vectors, v)
		}
	}
	return file
}

func TestVectors(t *testing.T) {
	const file = "testdata/vectors.json"
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "regenerate with -update if the layout was meant to change")

	// The file must agree with the reference, and the inputs stand in the order c, ζ, v.
	var vectors vectorFile
	require.NoError(t, json.Unmarshal(want, &vectors))
	for _, v := range vectors.Vectors {
		words := make([]fr.Element, len(v.Words))
		for i := range words {
			require.NoError(t, words[i].SetBytesCanonical(v.Words[i][:]))
		}
		d, err := publicdata.Parse(words)
		require.NoError(t, err, v.Name)
		require.Equal(t, v.Data, toJSON(d), v.Name)
		requireWords(t, naiveWords(d), words)
		c := naiveCommitment(d, v.Shape, len(words))
		zeta := naiveChallenge(c, naiveWords(d))
		value := naiveEvaluate(naiveWords(d), zeta)
		for i, want := range []*big.Int{integer(c), zeta, value} {
			require.Equal(t, settle.Element(want.FillBytes(make([]byte, 32))), v.PublicInputs[i], "%s: public input %d", v.Name, i)
		}
		require.Equal(t, [3]settle.Element{v.Commitment, v.Zeta, v.Value}, v.PublicInputs, v.Name)
	}
}
