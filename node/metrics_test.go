package node

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/sequencer"
	"github.com/zksettle/settle/store"
)

// gathered are the values of a registry's gauges by metric and role.
func gathered(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			values[name] = m.GetGauge().GetValue()
		}
	}
	return values
}

// TestRolesOfOneProcessShareTheMetricOfSteps: under `settle up` they are in one
// registry; each begins with the present, and a pass of the sequencer counts.
func TestRolesOfOneProcessShareTheMetricOfSteps(t *testing.T) {
	t.Parallel()
	ops := NewOps(slog.New(slog.DiscardHandler))
	registry := ops.Registry
	executes, err := newSequencerMetrics(ops)
	require.NoError(t, err)
	_, err = newSubmitterMetrics(ops)
	require.NoError(t, err)
	require.NoError(t, ops.register(newLastStep(store.RoleAggregator), newLastStep(stepWorker), newLastStep(stepReaper)))
	values := gathered(t, registry)
	for _, role := range []string{"sequencer", "submitter", "aggregator", "worker", "reaper"} {
		require.Positive(t, values["settle_last_step_timestamp_seconds "+role], role)
	}
	executes.step.Set(1)
	executes.OpenBatch(settle.Usage{})
	require.Greater(t, gathered(t, registry)["settle_last_step_timestamp_seconds sequencer"], 1.0)
	require.Contains(t, values, "settle_settlements_total failed", "a count that begins at 0 can be seen to grow")
}

// TestSealedBatchIsMeasured: the sizes and times of a sealed batch reach its metrics.
func TestSealedBatchIsMeasured(t *testing.T) {
	t.Parallel()
	ops := NewOps(slog.New(slog.DiscardHandler))
	m, err := newSequencerMetrics(ops)
	require.NoError(t, err)
	m.BatchSealed(sequencer.SealEvent{Shape: "tiny", Reason: sequencer.Full, Oldest: 2 * time.Second, Witness: 5000})
	families, err := ops.Registry.Gather()
	require.NoError(t, err)
	sums := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			sums[family.GetName()] += metric.GetHistogram().GetSampleSum()
		}
	}
	require.InDelta(t, 5000, sums["settle_witness_input_bytes"], 0)
	require.InDelta(t, 2, sums["settle_execution_wait_seconds"], 0)
}

// someNode answers what it is told to.
type someNode struct {
	head             l1.Block
	balance          *big.Int
	noHead, noAnswer error
}

func (n *someNode) Block(_ context.Context, number rpc.BlockNumber) (l1.Block, error) {
	if number != rpc.LatestBlockNumber {
		return l1.Block{}, errors.New("not the head")
	}
	return n.head, errors.Join(n.noHead, n.noAnswer)
}

func (n *someNode) BalanceAt(_ context.Context, account common.Address, block *big.Int) (*big.Int, error) {
	if n.noAnswer != nil || account != (common.Address{19: 5}) || block != nil {
		return nil, errors.New("no balance")
	}
	return n.balance, nil
}

// TestL1Metrics: what is not known is absent, what was known stays while the node is away.
func TestL1Metrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	m := newL1Metrics()
	require.NoError(t, registry.Register(m))
	require.Empty(t, gathered(t, registry))
	operator := common.Address{19: 5}

	node := &someNode{noAnswer: errors.New("away")}
	require.Error(t, m.look(t.Context(), node, operator))
	require.Equal(t, map[string]float64{"settle_l1_up": 0}, gathered(t, registry))

	node = &someNode{noHead: errors.New("no such tag"), balance: big.NewInt(7e17)}
	require.Error(t, m.look(t.Context(), node, operator))
	require.Equal(t, map[string]float64{"settle_l1_up": 0, "settle_operator_balance_wei": 7e17}, gathered(t, registry))

	node = &someNode{head: l1.Block{Number: 20, Time: 1000}, balance: big.NewInt(6e17)}
	require.NoError(t, m.look(t.Context(), node, operator))
	known := map[string]float64{
		"settle_l1_up": 1, "settle_operator_balance_wei": 6e17, "settle_l1_head_block": 20, "settle_l1_head_timestamp_seconds": 1000, "settle_l1_lag_blocks": 0,
	}
	require.Equal(t, known, gathered(t, registry), "a node that says no base fee")

	node.head = l1.Block{Number: 17, Time: 964, BaseFee: big.NewInt(12)} // another one behind the same address
	require.NoError(t, m.look(t.Context(), node, operator))
	known = map[string]float64{
		"settle_l1_up": 1, "settle_operator_balance_wei": 6e17, "settle_l1_head_block": 17, "settle_l1_head_timestamp_seconds": 964,
		"settle_l1_lag_blocks": 3, "settle_l1_base_fee_wei": 12,
	}
	require.Equal(t, known, gathered(t, registry))

	node.noAnswer = errors.New("away")
	require.Error(t, m.look(t.Context(), node, operator))
	known["settle_l1_up"] = 0
	require.Equal(t, known, gathered(t, registry))
}
