package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// lastPoint is the last batch of a shelf.
const lastPoint = 3

// shelf is a store in memory for fuzzing: genesis, three settled batches that changed
// nothing, and whatever is admitted. It notes what it is asked.
type shelf struct {
	genesis  store.Genesis
	exits    []publicdata.Exit // of each batch
	asked    []string
	admitted []admission.Checked
	ids      map[settle.Hash]bool
}

func (s *shelf) reset() { s.asked, s.admitted, s.ids = nil, nil, map[settle.Hash]bool{} }

func (s *shelf) note(format string, args ...any) {
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
}

// Admit takes what is new, but for nonces behind the window.
func (s *shelf) Admit(_ context.Context, items []admission.Checked) ([]admission.Outcome, error) {
	out := make([]admission.Outcome, len(items))
	for i, item := range items {
		switch {
		case s.ids[item.ID]:
			out[i] = admission.Outcome{Status: settle.TxAccepted, Existing: true}
		case item.Nonce >= settle.NonceWindow:
			out[i] = admission.Outcome{Refusal: settle.Refuse(settle.CodeNonceTooFar, "nonce %d", item.Nonce)}
		default:
			s.ids[item.ID] = true
			s.admitted = append(s.admitted, item)
			out[i] = admission.Outcome{Status: settle.TxAccepted}
		}
	}
	return out, nil
}

func (s *shelf) Backlog(context.Context) (store.Backlog, error) { return store.Backlog{}, nil }

func (s *shelf) FeeAccounts(context.Context) ([]store.FeeAccount, error) {
	return s.genesis.FeeAccounts, nil
}

func (s *shelf) Account(_ context.Context, i settle.AccountIndex) (store.Account, error) {
	s.note("Account %d", i)
	if int(i) >= len(s.genesis.Accounts) {
		return store.Account{}, store.ErrNotFound
	}
	return s.genesis.Accounts[i], nil
}

func (s *shelf) Accounts(_ context.Context, is []settle.AccountIndex) (map[settle.AccountIndex]store.Account, error) {
	out := map[settle.AccountIndex]store.Account{}
	for _, i := range is {
		if int(i) < len(s.genesis.Accounts) {
			out[i] = s.genesis.Accounts[i]
		}
	}
	return out, nil
}

func (s *shelf) AccountsByOwner(_ context.Context, owner settle.Element, l1 settle.Address, after int64, limit int) ([]store.Account, error) {
	s.note("AccountsByOwner %s %s %d %d", owner, l1, after, limit)
	var out []store.Account
	for _, a := range s.genesis.Accounts {
		if a.Owner == owner && a.L1 == l1 && int64(a.Index) > after && len(out) < limit {
			out = append(out, a)
		}
	}
	return out, nil
}

func (s *shelf) PendingBySender(context.Context, []settle.AccountIndex) (map[settle.AccountIndex]admission.Pending, error) {
	return nil, nil
}

func (s *shelf) Transaction(_ context.Context, id settle.Hash) (store.TransactionDetail, error) {
	s.note("Transaction %s", id)
	if id[0] != 0 {
		return store.TransactionDetail{}, store.ErrNotFound
	}
	return store.TransactionDetail{Transaction: store.Transaction{Checked: admission.Checked{ID: id, Transaction: state.Transaction{Kind: settle.KindTransfer}}, Status: settle.TxAccepted}}, nil
}

func (s *shelf) Transactions(ctx context.Context, ids []settle.Hash) (map[settle.Hash]store.TransactionDetail, error) {
	found := map[settle.Hash]store.TransactionDetail{}
	for _, id := range ids {
		if t, err := s.Transaction(ctx, id); err == nil {
			found[id] = t
		}
	}
	return found, nil
}

func (s *shelf) FirstAccounts(context.Context, []store.Holding) (map[store.Holding]settle.AccountIndex, error) {
	return nil, nil
}

func (s *shelf) batch(n settle.BatchNumber) store.Batch {
	root := s.genesis.Rollup.GenesisRoot
	return store.Batch{Number: n, Status: settle.BatchSettled, Shape: shape.Name, OldRoot: root, NewRoot: root, Transactions: 1}
}

func (s *shelf) Batch(_ context.Context, n settle.BatchNumber) (store.BatchDetail, error) {
	s.note("Batch %d", n)
	if n < 1 || n > lastPoint {
		return store.BatchDetail{}, store.ErrNotFound
	}
	return store.BatchDetail{Batch: s.batch(n)}, nil
}

func (s *shelf) Batches(_ context.Context, before settle.BatchNumber, limit int) ([]store.Batch, error) {
	s.note("Batches %d %d", before, limit)
	var out []store.Batch
	for n := settle.BatchNumber(lastPoint); n >= 1 && len(out) < limit; n-- {
		if before == 0 || n < before {
			out = append(out, s.batch(n))
		}
	}
	return out, nil
}

func (s *shelf) LastBatch(context.Context) (store.Batch, error) { return s.batch(lastPoint), nil }

func (s *shelf) ProvenProgress(context.Context) (store.Progress, error) {
	return store.Progress{Batch: lastPoint, Root: s.genesis.Rollup.GenesisRoot}, nil
}

func (s *shelf) Rollup(context.Context) (store.Rollup, error) { return s.genesis.Rollup, nil }

func (s *shelf) Status(context.Context) (store.Status, error) {
	root := s.genesis.Rollup.GenesisRoot
	return store.Status{LastBatch: lastPoint, LastRoot: root, SettledBatch: lastPoint, SettledRoot: root}, nil
}

func (s *shelf) Blockage(context.Context) (store.Blockage, error) {
	return store.Blockage{}, store.ErrNotFound
}

func (s *shelf) Point(_ context.Context, n settle.BatchNumber) (store.Point, error) {
	s.note("Point %d", n)
	if n > lastPoint {
		return store.Point{}, store.ErrNotFound
	}
	return store.Point{Batch: n, Root: s.genesis.Rollup.GenesisRoot, Status: settle.BatchSettled}, nil
}

func (s *shelf) LastSettled(ctx context.Context) (store.Point, error) { return s.Point(ctx, lastPoint) }

func (s *shelf) AccountAt(_ context.Context, i settle.AccountIndex, n settle.BatchNumber) (store.Account, error) {
	s.note("AccountAt %d %d", i, n)
	if int(i) >= len(s.genesis.Accounts) {
		return store.Account{}, store.ErrNotFound
	}
	return s.genesis.Accounts[i], nil
}

func (s *shelf) EachAccountAt(_ context.Context, _ settle.BatchNumber, f func(store.Account) error) error {
	for _, a := range s.genesis.Accounts {
		if err := f(a); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) LeavesBetween(context.Context, settle.BatchNumber, settle.BatchNumber) ([]store.LeafChange, error) {
	return nil, nil
}

func (s *shelf) BatchWords(_ context.Context, n settle.BatchNumber) ([]settle.Element, error) {
	d := publicdata.Data{Header: publicdata.Header{Number: n}, Exits: s.exits}
	for range s.exits {
		d.Transfers = append(d.Transfers, publicdata.Transfer{Kind: settle.KindExit})
	}
	var words []settle.Element
	for _, w := range d.Words() {
		words = append(words, w.Bytes())
	}
	return words, nil
}

func (s *shelf) ExitBatches(_ context.Context, l1 settle.Address, after settle.BatchNumber, limit int) ([]settle.BatchNumber, error) {
	s.note("ExitBatches %s %d %d", l1, after, limit)
	var out []settle.BatchNumber
	for n := after + 1; n <= lastPoint && n > 0 && len(out) < limit; n++ {
		out = append(out, n)
	}
	return out, nil
}

// ClaimsOf says of every batch that its first exit is claimed, and of the last batch nothing.
func (s *shelf) ClaimsOf(_ context.Context, batches []settle.BatchNumber) (map[settle.BatchNumber]store.BatchClaims, error) {
	out := map[settle.BatchNumber]store.BatchClaims{}
	for _, n := range batches {
		if n != lastPoint {
			out[n] = store.BatchClaims{Known: true, AsOf: 9, Claims: map[uint32]settle.Hash{0: {1}}}
		}
	}
	return out, nil
}

// desk is the API's handler over a shelf, without a network.
type desk struct {
	*rig
	shelf  *shelf
	server *api.Server
	log    bytes.Buffer
	codes  []string
}

func newDesk(f *testing.F) *desk {
	d := &desk{rig: &rig{t: f}, codes: errorsPage(f)}
	d.found()
	d.shelf = &shelf{genesis: d.genesis, exits: []publicdata.Exit{
		{L1: d.wallets[alice].Address().L1, Amount: settle.NewAmount(5)}, {L1: d.wallets[bob].Address().L1, Token: 1, Amount: settle.NewAmount(7)},
	}}
	var err error
	d.server, err = api.New(api.Config{
		Store: d.shelf, Rollup: d.genesis.Rollup, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
		Kinds: sequencer.KindsOf([]sequencer.Shape{kindShape()}),
	})
	require.NoError(f, err)
	return d
}

// answer serves a request. Whatever it was, the answer is no failure of ours, and an
// error is a problem with a code of docs/errors.md.
func (d *desk) answer(t *testing.T, r *http.Request) reply {
	t.Helper()
	d.log.Reset()
	d.shelf.asked = nil
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, r)
	out := reply{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	require.Less(t, out.status, 500, "%s\n%s", out.body, d.log.String())
	require.GreaterOrEqual(t, out.status, 200)
	if out.status >= 400 {
		require.Equal(t, "application/problem+json", out.header.Get("Content-Type"), "%d %s", out.status, out.body)
		require.NoError(t, strictly(out.body, &out.problem), "%s", out.body)
		require.Equal(t, out.status, out.problem.Status)
		requireProblem(t, d.codes, out.problem)
	}
	return out
}

func requireProblem(t *testing.T, codes []string, p wire.Problem) {
	t.Helper()
	require.True(t, slices.Contains(codes, string(p.Code)), "code %q", p.Code)
	require.NotContains(t, []settle.Code{settle.CodeInternal, settle.CodeUnavailable}, p.Code)
	require.Equal(t, "urn:settle:error:"+string(p.Code), p.Type)
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.Detail)
}

func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
