package state_test

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// Apply executes a batch. The trace that it returns is all that the witness of the
// circuit is made of. Apply does not look at signatures: its caller has verified them.
func ExampleState_Apply() {
	alice, bob := fr.NewElement(11), fr.NewElement(22) // owners: x-coordinates of public keys
	accounts := []state.Indexed{
		{Index: 0, Account: state.Account{Owner: alice, Balance: settle.NewAmount(1000)}},
		{Index: 1, Account: state.Account{Owner: bob}},
	}
	feeAccounts := map[settle.TokenID]settle.AccountIndex{0: 1} // account 1 takes the fees of token 0
	s, err := state.Load(poseidon.New(), fr.NewElement(7), 0, accounts, feeAccounts)
	if err != nil {
		fmt.Println(err)
		return
	}
	before := s.Root()

	pay := state.Transaction{
		Kind: settle.KindTransfer, From: 0, To: 1, Amount: 100, Fee: 5, // numbers below 2^11 are their own floats
		ToOwner: bob, PublicKey: alice,
	}
	trace, err := s.Apply([]state.Transaction{pay})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("alice:", s.Account(0).Balance, "bob:", s.Account(1).Balance)
	fmt.Println("batch:", trace.Header.Number, "root has changed:", s.Root() != before)

	_, err = s.Apply([]state.Transaction{pay}) // its nonce is used
	fmt.Println(err)
	// Output:
	// alice: 895 bob: 105
	// batch: 1 root has changed: true
	// transaction 0: stale_nonce: nonce 0 is used, account 0 is at nonce 1
}
