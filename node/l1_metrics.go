package node

import (
	"context"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/zksettle/settle/internal/outage"
	"github.com/zksettle/settle/l1"
)

// l1Look is how often the submitter looks at what its metrics say of L1.
const l1Look = 15 * time.Second

// l1Reader is what l1Metrics needs of *l1.Conn.
type l1Reader interface {
	Block(ctx context.Context, number rpc.BlockNumber) (l1.Block, error)
	BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error)
}

// l1Metrics say how L1 stands: its node, its price, and the operator's money. What is
// not known yet, or what the node does not say, is absent: a zero would be a lie.
type l1Metrics struct {
	up, number, time, lag, fee, money *prometheus.Desc

	mu      sync.Mutex
	looked  bool
	answers bool
	head    *l1.Block
	highest uint64 // number of the highest head that was seen
	balance *big.Int
}

func newL1Metrics() *l1Metrics {
	d := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &l1Metrics{
		up:     d("settle_l1_up", "1 if the L1 node answered the submitter's last look; if 0, the gauges of L1 below are of an earlier one."),
		number: d("settle_l1_head_block", "Number of the head of L1."),
		time:   d("settle_l1_head_timestamp_seconds", "Time of the head of L1, in seconds since 1970: its age grows while L1 makes no blocks or the node has none of them."),
		lag:    d("settle_l1_lag_blocks", "Blocks by which the head of L1 is lower than the highest that this process has seen: the node, or one of several behind its address, is behind."),
		fee:    d("settle_l1_base_fee_wei", "Base fee of the head of L1, in wei per gas."),
		money:  d("settle_operator_balance_wei", "Balance of the account that settles, in wei."),
	}
}

// Describe implements prometheus.Collector.
func (m *l1Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.number, m.time, m.lag, m.fee, m.money} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. It asks nobody.
func (m *l1Metrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	if !m.looked {
		return
	}
	up := 0.0
	if m.answers {
		up = 1
	}
	gauge(m.up, up)
	if m.head != nil {
		gauge(m.number, float64(m.head.Number))
		gauge(m.time, float64(m.head.Time))
		gauge(m.lag, float64(m.highest-m.head.Number))
		if m.head.BaseFee != nil {
			gauge(m.fee, toFloat(m.head.BaseFee))
		}
	}
	if m.balance != nil {
		gauge(m.money, toFloat(m.balance))
	}
}

func toFloat(n *big.Int) float64 {
	f, _ := new(big.Float).SetInt(n).Float64()
	return f
}

// look asks the node. What one question yields is kept when the other fails.
func (m *l1Metrics) look(ctx context.Context, node l1Reader, operator common.Address) error {
	head, headErr := node.Block(ctx, rpc.LatestBlockNumber)
	balance, err := node.BalanceAt(ctx, operator, nil)
	if headErr != nil {
		err = headErr
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if headErr == nil {
		m.head, m.highest = &head, max(m.highest, head.Number)
	}
	if balance != nil {
		m.balance = balance
	}
	m.looked, m.answers = true, err == nil
	return err
}

// watch looks until ctx ends or stop is called, over a connection of its own. Who
// settles says what is wrong with the node; here it is only measured.
func (m *l1Metrics) watch(ctx context.Context, node *L1, chainID uint64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	operator := crypto.PubkeyToAddress(node.Key.PublicKey)
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			m.tenure(ctx, node, chainID, operator)
			_ = outage.Pause(ctx, l1Look) // ended by ctx, which the loop asks
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// tenure looks over one connection until a look fails.
func (m *l1Metrics) tenure(ctx context.Context, node *L1, chainID uint64, operator common.Address) {
	client, err := node.Dial(ctx, chainID)
	if err != nil {
		m.mu.Lock()
		m.looked, m.answers = true, false
		m.mu.Unlock()
		return
	}
	defer client.Close()
	for m.look(ctx, client, operator) == nil && outage.Pause(ctx, l1Look) == nil {
	}
}
