package l1_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// refusals are what nodes say to a transaction that they do not take, and that has
// nothing to do with its fees.
func refusals() map[string]error {
	return map[string]error{
		"rate limit":       errors.New("daily request count exceeded, request rate limited"),
		"full pool":        errors.New("txpool is full"),
		"cap of the node":  errors.New("tx fee (1.20 ether) exceeds the configured cap (1.00 ether)"),
		"no ether":         errors.New("insufficient funds for gas * price + value: balance 0"),
		"forbidden":        rpc.HTTPError{StatusCode: http.StatusForbidden, Status: "403 Forbidden"},
		"too many":         rpc.HTTPError{StatusCode: http.StatusTooManyRequests, Status: "429 Too Many Requests"},
		"internal trouble": errors.New("internal error"),
	}
}

// TestRefusedSendsKeepTheirFees: whatever a node refuses is not slow. What it took once
// and refuses now, neither.
func TestRefusedSendsKeepTheirFees(t *testing.T) {
	for name, refusal := range refusals() {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.prove(1, 2)
			s := h.submitter()
			refuse := func() {
				h.node.onSend = func() error { return refusal }
				for range 10 {
					_, err := s.Step(t.Context())
					require.ErrorContains(t, err, refusal.Error())
					h.now = h.now.Add(time.Hour)
				}
				h.node.onSend = nil
				require.Len(t, h.rows.rows, 1, "one transaction, of the same bytes")
			}
			refuse()
			h.step(s, l1.Resent)
			h.step(s, l1.Waiting) // its time begins when a node has taken it
			refuse()
			h.step(s, l1.Replaced) // a node had it for hours
			h.chain.Commit()
			h.step(s, l1.Recorded)
			h.requireOnChain(1)
			require.Equal(t, []store.SettlementStatus{store.SettlementReplaced, store.SettlementMined}, h.rows.rowStatuses())
		})
	}
}

// TestUnderpricedIsRaised: only this refusal is about fees.
func TestUnderpricedIsRaised(t *testing.T) {
	h := newHarness(t)
	h.prove(1, 2)
	s := h.submitter()
	h.node.onSend = func() error {
		if len(h.node.sent) < 4 {
			return errors.New("transaction underpriced: tip needed 2, tip permitted 1")
		}
		return nil
	}
	_, err := s.Step(t.Context())
	require.ErrorContains(t, err, "underpriced")
	_, err = s.Step(t.Context()) // refused as it stands, and raised, and refused again
	require.ErrorContains(t, err, "underpriced")
	require.Equal(t, []store.SettlementStatus{store.SettlementReplaced, store.SettlementPrepared}, h.rows.rowStatuses())
	h.step(s, l1.Resent)
}
