package schnorr_test

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
)

// A signature is valid for one message under one domain. The domain names the chain and
// the rollup, so a signature cannot be used on another rollup.
func Example() {
	key, err := schnorr.NewPrivateKeyFromInt(big.NewInt(42)) // a real key comes from GenerateKey or DeriveKey
	if err != nil {
		fmt.Println(err)
		return
	}
	message := schnorr.Message{
		M:      fr.NewElement(1000), // the packed fields of a transaction: state.Transaction.M
		Domain: publicdata.Domain(31337, [20]byte{19: 1}),
	}
	signature, err := schnorr.Sign(key, message, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("this rollup:", schnorr.Verify(key.Public().X, message, signature))

	message.Domain = publicdata.Domain(1, [20]byte{19: 1})
	fmt.Println("another one:", schnorr.Verify(key.Public().X, message, signature))
	fmt.Println("printed:", key)
	// Output:
	// this rollup: <nil>
	// another one: signature does not verify: bad_signature: signature does not match key and message
	// printed: schnorr.PrivateKey(redacted)
}
