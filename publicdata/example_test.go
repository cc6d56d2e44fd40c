package publicdata_test

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// A batch goes to L1 as words of 32 bytes. Whoever has them has every record of the batch.
// Three numbers bind them to the proof: the commitment c, the challenge ζ and the value v.
func Example() {
	data := &publicdata.Data{
		Header:      publicdata.Header{Number: 1, OldRoot: fr.NewElement(10), NewRoot: fr.NewElement(20), Domain: fr.NewElement(7)},
		FeeAccounts: []publicdata.FeeAccount{{Token: 0, Index: 1}},
		Transfers: []publicdata.Transfer{
			{Kind: settle.KindTransfer, From: 0, To: 1, Amount: 100, Fee: 5},
			{Kind: settle.KindTransfer, From: 2, To: 0, Amount: 30, Fee: 5},
		},
	}
	words := data.Words()
	fmt.Println("words:", len(words), "of which the header:", publicdata.HeaderWords)

	read, err := publicdata.Parse(words)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("second transfer:", read.Transfers[1].Amount, "from", read.Transfers[1].From, "to", read.Transfers[1].To)

	shape := settle.Capacity{Transfers: 4, FeeAccounts: 1}
	inputs, err := data.PublicInputs(poseidon.New(), shape)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, zeta, v := inputs[0], inputs[1], inputs[2]
	fmt.Println("ζ is of c and the words:", zeta == publicdata.Challenge(c, words))
	fmt.Println("v is the words at ζ:", v == publicdata.Evaluate(words, zeta))
	// Output:
	// words: 7 of which the header: 5
	// second transfer: 30 from 2 to 0
	// ζ is of c and the words: true
	// v is the words at ζ: true
}
