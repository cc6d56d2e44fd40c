package sequencer

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func element(e settle.Element, what string) (fr.Element, error) {
	var x fr.Element
	if err := x.SetBytesCanonical(e[:]); err != nil {
		return x, fmt.Errorf("%s %s is not a field element: %w", what, e, err)
	}
	return x, nil
}

// accountFromStored returns an account and its stored digest, which it does not
// compare.
func accountFromStored(a store.Account) (x state.Indexed, leaf fr.Element, err error) {
	owner, err := element(a.Owner, "owner")
	if err != nil {
		return x, leaf, err
	}
	leaf, err = element(a.Leaf, "digest")
	return state.Indexed{Index: a.Index, Account: state.Account{
		Owner: owner, Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1,
	}}, leaf, err
}

func accountToStored(index settle.AccountIndex, a state.Account, leaf fr.Element) store.Account {
	return store.Account{
		Index: index, Owner: a.Owner.Bytes(), Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1, Leaf: leaf.Bytes(),
	}
}
