package publicdata_test

// An independent writing of D: words as text of bits, the evaluation by powers.

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// bitText concatenates fields from the last to the first, so that the first
// ends up in the low bits.
func bitText(fields ...string) *big.Int {
	text := ""
	for _, f := range fields {
		text = f + text
	}
	v, ok := new(big.Int).SetString(text, 2)
	if !ok {
		panic("not binary: " + text)
	}
	return v
}

func number(width int, v uint64) string { return fmt.Sprintf("%0*b", width, v) }

func amount(a settle.Amount) string { return fmt.Sprintf("%064b%064b", a.Hi, a.Lo) }

func address(a settle.Address) string {
	var b strings.Builder
	for _, octet := range a {
		fmt.Fprintf(&b, "%08b", octet)
	}
	return b.String()
}

func integer(e fr.Element) *big.Int { return e.BigInt(new(big.Int)) }

func naiveHeader(d *publicdata.Data) []*big.Int {
	return []*big.Int{
		big.NewInt(int64(d.Header.Number)), integer(d.Header.OldRoot), integer(d.Header.NewRoot), integer(d.Header.Domain),
		bitText(number(32, uint64(len(d.FeeAccounts))), number(32, uint64(len(d.L1Ops))), number(32, uint64(len(d.Transfers))),
			number(32, uint64(len(d.Opens))), number(32, uint64(len(d.Exits)))),
	}
}

// naiveBody returns the five sections, padded with zeros to the capacities.
func naiveBody(d *publicdata.Data, pad settle.Capacity) []*big.Int {
	var body []*big.Int
	section := func(words []*big.Int, capacity int) {
		for len(words) < capacity {
			words = append(words, new(big.Int))
		}
		body = append(body, words...)
	}
	var fees, ops, transfers, opens, exits []*big.Int
	for _, f := range d.FeeAccounts {
		fees = append(fees, bitText(number(32, uint64(f.Token)), number(32, uint64(f.Index))))
	}
	for _, op := range d.L1Ops {
		status := "0"
		if op.Applied {
			status = "1"
		}
		ops = append(ops,
			bitText(number(4, uint64(op.Kind)), status, number(32, uint64(op.Index)), number(32, uint64(op.Token)), amount(op.Amount)),
			bitText(address(op.L1)), integer(op.Owner))
	}
	for i, t := range d.Transfers {
		record := bitText(number(4, uint64(t.Kind)), number(32, uint64(t.From)), number(32, uint64(t.To)), number(40, t.Amount), number(16, uint64(t.Fee)))
		if i%2 == 0 {
			transfers = append(transfers, record)
			continue
		}
		even := transfers[len(transfers)-1]
		even.Add(even, record.Mul(record, new(big.Int).Exp(big.NewInt(2), big.NewInt(124), nil)))
	}
	for _, o := range d.Opens {
		opens = append(opens, integer(o.Owner), bitText(address(o.L1)))
	}
	for _, x := range d.Exits {
		exits = append(exits, bitText(address(x.L1), number(32, uint64(x.Token))), bitText(amount(x.Amount)))
	}
	section(fees, pad.FeeAccounts)
	section(ops, 3*pad.L1Ops)
	section(transfers, (pad.Transfers+1)/2)
	section(opens, 2*pad.Opens)
	section(exits, 2*pad.Exits)
	return body
}

func naiveWords(d *publicdata.Data) []*big.Int {
	return append(naiveHeader(d), naiveBody(d, settle.Capacity{})...)
}

func elements(words []*big.Int) []fr.Element {
	out := make([]fr.Element, len(words))
	for i := range words {
		out[i].SetBigInt(words[i])
	}
	return out
}

// naiveCommitment lets the caller choose the length that enters c.
func naiveCommitment(d *publicdata.Data, shape settle.Capacity, length int) fr.Element {
	h := poseidon.New()
	header, body := h.Sponge(1, elements(naiveHeader(d))), h.Sponge(2, elements(naiveBody(d, shape)))
	tag := new(big.Int).SetBytes([]byte("settle/data/v1"))
	x := [4]fr.Element(elements([]*big.Int{integer(header), integer(body), big.NewInt(int64(length)), tag}))
	h.Permute4(&x)
	x[0].Add(&x[0], &header)
	return x[0]
}

func naiveChallenge(c fr.Element, words []*big.Int) *big.Int {
	text := fmt.Sprintf("%064x", integer(c))
	for _, w := range words {
		text += fmt.Sprintf("%064x", w)
	}
	all, _ := new(big.Int).SetString(text, 16)
	hash := sha3.NewLegacyKeccak256()
	hash.Write(all.FillBytes(make([]byte, len(text)/2)))
	return new(big.Int).SetBytes(hash.Sum(nil)[1:]) // without the top byte
}

func naiveEvaluate(words []*big.Int, zeta *big.Int) *big.Int {
	sum := new(big.Int)
	for i, w := range words {
		power := new(big.Int).Exp(zeta, big.NewInt(int64(i)), fr.Modulus())
		sum.Add(sum, power.Mul(power, w))
	}
	return sum.Mod(sum, fr.Modulus())
}
