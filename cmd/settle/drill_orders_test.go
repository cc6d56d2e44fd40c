package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/schnorr"
)

// leadBatches is how far submission runs ahead of proving.
const leadBatches = 6

// order is a transaction that the drill submits. No other one has its amount, which
// tells it from all others in the calldata on L1, where there are no nonces.
type order struct {
	wire.Transaction
	id settle.Hash
}

// signAll signs n transfers between random accounts, and behind every 50 of them an
// exit and an open of a new account.
func (d *drill) signAll(n int) {
	d.t.Helper()
	for i := range n {
		from, to := d.parties()
		d.sign(from, client.Transfer{
			From: from, To: to, Amount: d.amount(), Fee: settle.NewAmount(1), Nonce: d.nonces[from],
			Receiver: client.Address{Owner: d.genesis.Accounts[to].Owner.Element(), L1: d.genesis.Accounts[to].L1},
		})
		if i%50 != 49 {
			continue
		}
		from, to = d.parties()
		d.sign(from, client.Exit{From: from, Amount: d.amount(), Fee: settle.NewAmount(1), Nonce: d.nonces[from]})
		d.sign(to, client.Open{
			From: to, Amount: d.amount(), Fee: settle.NewAmount(1), Nonce: d.nonces[to], Account: d.stranger(),
		})
	}
	d.result.Transfers, d.result.Transactions = n, len(d.orders)
}

func (d *drill) parties() (from, to settle.AccountIndex) {
	from = settle.AccountIndex(d.rand.IntN(rigAccounts))
	return from, (from + settle.AccountIndex(1+d.rand.IntN(rigAccounts-1))) % rigAccounts
}

func (d *drill) amount() settle.Amount { return settle.NewAmount(1000 + uint64(len(d.orders))) }

// stranger is a payment address that nobody had.
func (d *drill) stranger() client.Address {
	d.t.Helper()
	key, err := schnorr.GenerateKey(rand.NewChaCha8([32]byte{1: byte(d.result.Seed), 2: byte(len(d.orders)), 3: byte(len(d.orders) >> 8)}))
	require.NoError(d.t, err)
	return client.Address{Owner: key.Public().Element(), L1: settle.Address{1}}
}

func (d *drill) sign(from settle.AccountIndex, what client.Order) {
	d.t.Helper()
	wallet := client.NewWallet(d.keys[from], d.deployment.ChainID, d.deployment.Rollup, d.genesis.Accounts[from].L1)
	tx, id, err := wallet.Sign(what)
	require.NoError(d.t, err)
	d.nonces[from]++
	d.orders = append(d.orders, order{tx, id})
	d.ids = append(d.ids, id)
}

// send submits all orders in bursts, some batches ahead of what steps says is
// proven. Its client waits through outages of the API.
func (d *drill) send(ctx context.Context, steps <-chan int) error {
	random := rand.New(rand.NewPCG(d.result.Seed, 1))
	shape, err := circuits.ShapeByName(*drillShape)
	if err != nil {
		return err
	}
	for sent, limit := 0, 0; sent < len(d.orders); {
		n := min(1+random.IntN(24), len(d.orders)-sent, limit-sent)
		if n <= 0 {
			select {
			case proven := <-steps:
				limit = proven + leadBatches*shape.Capacity.Transfers
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		burst := make([]wire.Transaction, n)
		for i := range burst {
			burst[i] = d.orders[sent+i].Transaction
		}
		results, err := d.client.SubmitAll(ctx, burst)
		if err != nil {
			return fmt.Errorf("transactions %d to %d: %w", sent, sent+n-1, err)
		}
		for i, r := range results.Results {
			if r.Problem != nil {
				return fmt.Errorf("transaction %d is refused: %+v", sent+i, *r.Problem)
			}
			if want := d.orders[sent+i].id; r.ID == nil || *r.ID != want {
				return fmt.Errorf("transaction %d is accepted as %v, expected %s", sent+i, r.ID, want)
			}
		}
		sent += n
		d.accepted.Store(int64(sent))
	}
	return nil
}
