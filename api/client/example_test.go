package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/schnorr"
)

// A wallet signs offline and submits what it signed. The server here is a stand-in, which
// accepts whatever it is sent; a real one is at the address of `settle api`.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var tx wire.Transaction
		if err := json.NewDecoder(r.Body).Decode(&tx); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println(r.Method, r.URL.Path, tx.Kind, tx.Amount, "to account", tx.To)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(wire.Receipt{Status: settle.TxAccepted})
	}))
	defer server.Close()

	key, err := schnorr.NewPrivateKeyFromInt(big.NewInt(42)) // a real key comes from GenerateKey or DeriveKey
	if err != nil {
		fmt.Println(err)
		return
	}
	rollup, exitsTo := settle.Address{19: 1}, settle.Address{19: 2}
	wallet := client.NewWallet(key, 31337, rollup, exitsTo)
	// Pay of the client looks all of this up; signing by hand needs no network.
	tx, _, err := wallet.Sign(client.Transfer{
		From: 0, To: 1, Receiver: client.Address{Owner: wallet.Address().Owner, L1: settle.Address{19: 3}},
		Amount: settle.NewAmount(1000), Fee: settle.NewAmount(1),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	c, err := client.New(server.URL, client.WithRetries())
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := c.Submit(context.Background(), tx)
	fmt.Println(receipt.Status, err)
	// Output:
	// POST /v1/transactions transfer 1000 to account 1
	// accepted <nil>
}
