package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/reexecute"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// drillAudit is what became of the accepted transactions: by the calldata of L1,
// replayed from genesis, and by the API for each id. No count comes from a status
// in the database.
type drillAudit struct {
	Batches     int `json:"batches"`       // on L1
	Folded      int `json:"folded"`        // of them by a transaction that settled others too
	OnL1        int `json:"on_l1"`         // records of transactions in the calldata
	Lost        int `json:"lost"`          // accepted, in no batch on L1
	Doubled     int `json:"doubled"`       // on L1 more than once
	Unknown     int `json:"unknown"`       // on L1, never submitted
	WrongNonce  int `json:"wrong_nonce"`   // the n-th of its sender on L1 has not nonce n
	APISettled  int `json:"api_settled"`   // settled or final by the API
	APIMisplace int `json:"api_misplaced"` // in another batch or place by the API than on L1

	RootL1       settle.Element `json:"root_l1"`
	RootReplay   settle.Element `json:"root_replay"`
	RootDatabase settle.Element `json:"root_database"`
	RootAPI      settle.Element `json:"root_api"`
}

// sightings finds orders in the records on L1.
type sightings struct {
	orders []order
	byKey  map[recordKey]int
	places [][]l1Place // of each order
	nonces map[settle.AccountIndex]settle.Nonce
}

type l1Place struct {
	batch    settle.BatchNumber
	position int
}

// recordKey tells an order in the calldata.
type recordKey struct {
	kind   string
	from   settle.AccountIndex
	amount uint64 // float40
}

func newSightings(orders []order) (*sightings, error) {
	s := &sightings{orders, map[recordKey]int{}, make([][]l1Place, len(orders)), map[settle.AccountIndex]settle.Nonce{}}
	for i, o := range orders {
		amount, err := state.NewFloat40(o.Amount)
		if err != nil {
			return nil, err
		}
		s.byKey[recordKey{o.Kind, o.From, uint64(amount)}] = i
	}
	if len(s.byKey) != len(orders) {
		return nil, errors.New("two orders look the same on L1")
	}
	return s, nil
}

// add takes the next record on L1.
func (s *sightings) add(a *drillAudit, place l1Place, r publicdata.Transfer) {
	a.OnL1++
	i, known := s.byKey[recordKey{r.Kind.String(), r.From, r.Amount}]
	if !known {
		a.Unknown++
		return
	}
	s.places[i] = append(s.places[i], place)
	if s.orders[i].Nonce != s.nonces[r.From] {
		a.WrongNonce++
	}
	s.nonces[r.From]++
}

// sum counts which of the first orders, those that were accepted, are not there once.
func (s *sightings) sum(a *drillAudit, accepted int) {
	for _, places := range s.places[:accepted] {
		switch len(places) {
		case 0:
			a.Lost++
		case 1:
		default:
			a.Doubled++
		}
	}
}

// audit looks everywhere. It needs the chain, Postgres and the API; what it has found
// out before an error is in the result.
func (d *drill) audit() (a drillAudit, err error) {
	places, err := d.auditL1(&a)
	if err != nil {
		return a, err
	}
	for i, o := range d.orders[:d.accepted.Load()] {
		ctx, cancel := contextWithin(d.t, testcmd.Patience)
		tx, err := d.client.Transaction(ctx, o.id)
		cancel()
		if err != nil {
			return a, fmt.Errorf("transaction %d: %w", i, err)
		}
		if tx.Status == settle.TxSettled || tx.Status == settle.TxFinal {
			a.APISettled++
		}
		if tx.Batch == nil || tx.Position == nil || len(places[i]) == 0 || places[i][0] != (l1Place{*tx.Batch, *tx.Position}) {
			a.APIMisplace++
		}
	}
	ctx, cancel := contextWithin(d.t, testcmd.Patience)
	defer cancel()
	var root []byte
	if err := d.pool.QueryRow(ctx, "select new_root from batches order by number desc limit 1").Scan(&root); err != nil {
		return a, fmt.Errorf("root in the database: %w", err)
	}
	copy(a.RootDatabase[:], root)
	status, err := d.client.Status(ctx)
	a.RootAPI = status.Settled.Root
	return a, err
}

// auditL1 replays the calldata and returns where each order is.
func (d *drill) auditL1(a *drillAudit) ([][]l1Place, error) {
	ctx, cancel := contextWithin(d.t, testcmd.Patience)
	defer cancel()
	node, err := l1.Dial(ctx, d.nodeURL, 0)
	if err != nil {
		return nil, err
	}
	defer node.Close()
	head, err := node.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	domain, err := reexecute.Element(d.deployment.Domain)
	if err != nil {
		return nil, err
	}
	replay, err := state.NewRebuilder(poseidon.New(), d.genesis, domain)
	if err != nil {
		return nil, err
	}
	seen, err := newSightings(d.orders)
	if err != nil {
		return nil, err
	}
	contract := l1.NewClient(node, d.deployment.Rollup).At(head)
	settledBy := map[settle.Hash]int{}
	err = contract.History(ctx, 0, head, func(batch l1.Settled) error {
		a.Batches++
		settledBy[batch.TxHash]++
		if err := replay.Apply(batch.Data); err != nil {
			return err
		}
		if got := element(replay.Root()); got != batch.Root {
			return fmt.Errorf("batch %d leads to root %s, L1 has %s", batch.Number, got, batch.Root)
		}
		for position, r := range batch.Data.Transfers {
			seen.add(a, l1Place{batch.Number, position}, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, batches := range settledBy {
		if batches > 1 {
			a.Folded += batches
		}
	}
	seen.sum(a, int(d.accepted.Load()))
	a.RootReplay = element(replay.Root())
	a.RootL1, err = contract.Root(ctx)
	return seen.places, err
}

// finish requires that nothing is lost or doubled, that the roots agree and that no
// worker completed another one's attempt, and stops all roles, which end without an
// error.
func (d *drill) finish() {
	d.t.Helper()
	d.pool.Reset() // the last fault may have been a restart of Postgres
	d.requireConsistent()
	audit, err := d.audit()
	d.result.Audit = &audit
	require.NoError(d.t, err)
	all := len(d.orders)
	require.Equal(d.t, drillAudit{
		Batches: audit.Batches, Folded: audit.Folded, OnL1: all, APISettled: all,
		RootL1: audit.RootL1, RootReplay: audit.RootL1, RootDatabase: audit.RootL1, RootAPI: audit.RootL1,
	}, audit)
	require.Equal(d.t, *drillAggregate, audit.Folded > 0, "%d batches were folded", audit.Folded)
	d.requireFenced()
	d.requireSwift()
	var view pipeline
	require.NoError(d.t, json.Unmarshal(testcmd.Succeed(d.t, d.env(), "status", "--json"), &view))
	require.Equal(d.t, d.status().Settled, view.Settled)
	require.Empty(d.t, view.DeadLetters)
	for _, r := range d.roles {
		r.process().Stop()
	}
}

// requireFenced compares proofs and jobs: a proof that came in time has the
// last epoch of its job and completed the attempt that made it; a late one has an
// older epoch. No job was completed before its proof was stored; one to fold may have been
// cancelled. Each batch had one job and got one proof of its own.
func (d *drill) requireFenced() {
	d.t.Helper()
	d.await("every lease is given back", func() bool { return one[int](d.rig, "select count(*) from proof_jobs where status = 'running'") == 0 })
	batches := one[int](d.rig, "select count(*) from batches")
	require.Equal(d.t, batches, one[int](d.rig, "select count(*) from proof_jobs where circuit = $1", settle.CircuitTransition))
	proofs := one[int](d.rig, "select count(*) from proofs")
	require.Equal(d.t, proofs, one[int](d.rig, `
		select count(*) from proofs p join proof_jobs j using (batch, circuit, key_hash)
		where (j.status = 'completed' and j.finished_at >= p.stored_at or j.circuit = 'aggregate' and j.status = 'cancelled')
			and case when p.late or j.status = 'cancelled' then p.epoch < j.epoch else p.epoch = j.epoch and p.worker = j.holder and p.attempt = j.attempt end`))
	d.result.Folds = one[int](d.rig, "select count(*) from proofs where circuit = $1", settle.CircuitAggregate)
	d.result.GivenUp = one[int](d.rig, "select count(*) from batch_groups where last > first and status = 'direct'")
	d.result.LateProofs = one[int](d.rig, "select count(*) from proofs where late")
	d.result.Takeovers = one[int](d.rig, "select count(*) from proof_failures where class = $1 and detail like 'lease expired%'", string(store.FailInfrastructure))
}

// TestDrillAudit: the audit sees each thing that it is there to find.
func TestDrillAudit(t *testing.T) {
	var orders []order
	var records []publicdata.Transfer
	for i := range uint64(6) {
		orders = append(orders, order{Transaction: wire.Transaction{
			Kind: settle.KindTransfer.String(), From: settle.AccountIndex(i % 2), Nonce: settle.Nonce(i / 2), Amount: settle.NewAmount(1000 + i),
		}})
		records = append(records, publicdata.Transfer{Kind: settle.KindTransfer, From: settle.AccountIndex(i % 2), Amount: 1000 + i})
	}
	stranger := publicdata.Transfer{Kind: settle.KindTransfer, Amount: 7}
	for name, c := range map[string]struct {
		order []publicdata.Transfer
		want  drillAudit
	}{
		"right":     {records, drillAudit{OnL1: 6}},
		"lost":      {records[:4], drillAudit{OnL1: 4, Lost: 2}},
		"doubled":   {append(slices.Clone(records), records[5]), drillAudit{OnL1: 7, Doubled: 1, WrongNonce: 1}},
		"not ours":  {append(slices.Clone(records), stranger), drillAudit{OnL1: 7, Unknown: 1}},
		"reordered": {append(slices.Clone(records[:2]), records[4], records[5], records[2], records[3]), drillAudit{OnL1: 6, WrongNonce: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := newSightings(orders)
			require.NoError(t, err)
			var got drillAudit
			for i, r := range c.order {
				seen.add(&got, l1Place{1, i}, r)
			}
			seen.sum(&got, len(orders))
			require.Equal(t, c.want, got)
		})
	}
}
