package l1_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// memory keeps settlements by the rules of the store.
type memory struct {
	h          *harness
	mu         sync.Mutex
	epoch      store.Epoch
	batches    []*memoryBatch
	rows       []*store.Settlement
	refused    []string // why proofs were set aside
	standstill string
	fail       func(method string) error // before a write, when not nil
}

type memoryBatch struct {
	work   store.SettlementWork
	status settle.BatchStatus
}

var _ l1.Settlements = (*memory)(nil)

func newMemory(h *harness) *memory { return &memory{h: h, epoch: epoch} }

func (m *memory) add(w store.SettlementWork) {
	m.batches = append(m.batches, &memoryBatch{work: w, status: settle.BatchProven})
}

func (m *memory) write(method string, e store.Epoch) error {
	if e != m.epoch {
		return store.ErrFenced
	}
	if m.fail != nil {
		return m.fail(method)
	}
	return nil
}

func (m *memory) statuses() (out []settle.BatchStatus) {
	for _, b := range m.batches {
		out = append(out, b.status)
	}
	return out
}

func (m *memory) rowStatuses() (out []store.SettlementStatus) {
	for _, r := range m.rows {
		out = append(out, r.Status)
	}
	return out
}

func (m *memory) live(n settle.BatchNumber) *store.Settlement {
	for _, r := range m.rows {
		if r.Batch == n && (r.Status == store.SettlementPrepared || r.Status == store.SettlementSent) {
			return r
		}
	}
	return nil
}

func (m *memory) byHash(h settle.Hash) (*store.Settlement, error) {
	for _, r := range m.rows {
		if r.TxHash == h {
			return r, nil
		}
	}
	return nil, store.ErrNotFound
}

func (m *memory) ToSettle(_ context.Context, _ time.Duration, most int) (works []store.SettlementWork, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.batches {
		if b.status == settle.BatchSettled || b.status == settle.BatchFinal {
			continue
		}
		if len(works) == most || b.status == settle.BatchSealed {
			break
		}
		w := b.work
		if row := m.live(w.Batch.Number); row != nil {
			live := *row
			w.Live = &live
		}
		for _, r := range m.rows {
			if r.Batch == w.Batch.Number {
				w.Attempts++
			}
		}
		works = append(works, w)
	}
	return works, nil
}

func (m *memory) SettlementFees(_ context.Context, sender settle.Address, nonce uint64) (most, tip settle.Amount, found bool, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if r.Sender == sender && r.Nonce == nonce && r.SentAt != nil {
			if found = true; r.MaxFee.Cmp(most) > 0 {
				most = r.MaxFee
			}
			if r.MaxTip.Cmp(tip) > 0 {
				tip = r.MaxTip
			}
		}
	}
	return most, tip, found, nil
}

func (m *memory) LastSettlement(_ context.Context, circuit, shape string, key settle.KeyHash) (out store.Settled, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		w := m.batches[r.Batch-1].work
		if (r.Status == store.SettlementMined || r.Status == store.SettlementFinal) && r.Batch >= out.Batch && w.Proof.Circuit == circuit && w.Proof.Shape == shape && w.Proof.KeyHash == key {
			out = store.Settled{Settlement: *r, Words: [][]settle.Element{w.Words}}
		}
	}
	if out.Receipt == nil {
		return out, store.ErrNotFound
	}
	return out, nil
}

// takeBack fails what is under way behind a batch.
func (m *memory) takeBack(last settle.BatchNumber) {
	for _, r := range m.rows {
		if r.Batch > last && m.live(r.Batch) == r {
			r.Status, r.Failure = store.SettlementFailed, "taken back"
			m.batches[r.Batch-1].status = settle.BatchProven
		}
	}
}

func (m *memory) PrepareSettlement(_ context.Context, e store.Epoch, n store.NewSettlement) (store.Settlement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("PrepareSettlement", e); err != nil {
		return store.Settlement{}, err
	}
	if _, err := m.byHash(n.TxHash); err == nil {
		return store.Settlement{}, fmt.Errorf("settlement %s stands already", n.TxHash)
	}
	if live := m.live(n.Batch); live != nil {
		if live.Sender != n.Sender || live.Nonce != n.Nonce {
			return store.Settlement{}, store.ErrIllegalTransition
		}
		live.Status = store.SettlementReplaced
	} else {
		m.takeBack(n.Batch)
	}
	if n.Batch > 1 && m.batches[n.Batch-2].status == settle.BatchProven {
		return store.Settlement{}, store.ErrIllegalTransition
	}
	m.batches[n.Batch-1].status = settle.BatchSettling
	row := &store.Settlement{NewSettlement: n, ID: int64(len(m.rows) + 1), Status: store.SettlementPrepared, PreparedAt: m.h.now}
	m.rows = append(m.rows, row)
	return *row, nil
}

func (m *memory) MarkSent(_ context.Context, e store.Epoch, h settle.Hash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("MarkSent", e); err != nil {
		return err
	}
	row, err := m.byHash(h)
	if err != nil {
		return err
	}
	if row.Status == store.SettlementPrepared {
		sent := m.h.now
		row.Status, row.SentAt = store.SettlementSent, &sent
	}
	return nil
}

func (m *memory) RecordMined(_ context.Context, e store.Epoch, h settle.Hash, r store.Receipt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("RecordMined", e); err != nil {
		return err
	}
	row, err := m.byHash(h)
	if err != nil {
		return err
	}
	if live := m.live(row.Batch); live != nil && live != row {
		live.Status = store.SettlementReplaced
	}
	row.Status, row.Receipt = store.SettlementMined, &r
	m.batches[row.Batch-1].status = settle.BatchSettled
	return nil
}

func (m *memory) GiveUpGroup(_ context.Context, e store.Epoch, first settle.BatchNumber, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches[first-1].work.Parts = nil
	return m.write("GiveUpGroup", e)
}

func (m *memory) RefuseProof(_ context.Context, e store.Epoch, k store.ProofKey, _ []byte, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("RefuseProof", e); err != nil {
		return err
	}
	m.refused = append(m.refused, reason)
	b := m.batches[k.Batch-1]
	if k.Circuit == settle.CircuitAggregate {
		b.work.Parts = nil
	} else {
		b.status = settle.BatchSealed
	}
	return nil
}

func (m *memory) ProofGone(_ context.Context, e store.Epoch, missing *store.MissingProofError) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches[missing.Batch-1].status = settle.BatchSealed
	return m.write("ProofGone", e)
}

func (m *memory) FailSettlement(_ context.Context, e store.Epoch, h settle.Hash, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("FailSettlement", e); err != nil {
		return err
	}
	row, err := m.byHash(h)
	if err != nil {
		return err
	}
	row.Status, row.Failure = store.SettlementFailed, reason
	m.batches[row.Batch-1].status = settle.BatchProven
	m.takeBack(row.Batch)
	return nil
}

func (m *memory) RevertSettlements(_ context.Context, e store.Epoch, from settle.BatchNumber, reason string) ([]settle.BatchNumber, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("RevertSettlements", e); err != nil {
		return nil, err
	}
	var out []settle.BatchNumber
	for _, b := range m.batches[from-1:] {
		if b.status == settle.BatchFinal {
			return nil, store.ErrIllegalTransition
		}
		b.status = settle.BatchProven
		out = append(out, b.work.Batch.Number)
	}
	for _, r := range m.rows {
		if r.Batch >= from && (r.Status == store.SettlementMined || m.live(r.Batch) == r) {
			r.Status, r.Failure = store.SettlementReorged, reason
		}
	}
	return out, nil
}

func (m *memory) FinalizeSettlements(_ context.Context, e store.Epoch, upTo settle.BatchNumber) ([]settle.BatchNumber, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write("FinalizeSettlements", e); err != nil {
		return nil, err
	}
	var out []settle.BatchNumber
	for _, r := range m.rows {
		if r.Batch <= upTo && r.Status == store.SettlementMined {
			r.Status = store.SettlementFinal
			m.batches[r.Batch-1].status = settle.BatchFinal
			out = append(out, r.Batch)
		}
	}
	return out, nil
}

func (m *memory) MinedSettlements(context.Context) ([]store.Settlement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Settlement
	for _, b := range m.batches {
		for _, r := range m.rows {
			if r.Batch == b.work.Batch.Number && r.Status == store.SettlementMined {
				out = append(out, *r)
			}
		}
	}
	return out, nil
}

func (m *memory) SettlementByHash(_ context.Context, h settle.Hash) (store.Settlement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, err := m.byHash(h)
	if err != nil {
		return store.Settlement{}, err
	}
	return *row, nil
}

func (m *memory) NoteStandstill(_ context.Context, _ store.Role, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.standstill = reason
	return nil
}
