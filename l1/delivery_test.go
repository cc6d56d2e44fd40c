package l1_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/l1"
)

// impatient is a node on whose chain nothing is mined by itself, and a clock that goes on
// by a minute whenever it is read, so that whatever is waited for becomes stuck.
type impatient struct {
	*harness
	proxy *faultnode.Proxy
	conn  *l1.Conn
	said  strings.Builder // read when nobody writes any more

	mu     sync.Mutex
	now    time.Time
	frozen bool
	seen   []*types.Transaction // every send, also of the same bytes again
	sent   chan struct{}        // hears of sends
	fault  func(version int, tx *types.Transaction) faultnode.Fault
}

func newImpatient(h *harness) *impatient {
	i := &impatient{harness: h, now: time.Now(), sent: make(chan struct{}, 1)}
	i.proxy, i.conn = h.proxied()
	i.proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method != "eth_sendRawTransaction" {
			return none
		}
		var raw []hexutil.Bytes
		tx := new(types.Transaction)
		if json.Unmarshal(c.Params, &raw) != nil || tx.UnmarshalBinary(raw[0]) != nil {
			return faultnode.Error(-32602, "unreadable")
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		i.seen = append(i.seen, tx)
		select {
		case i.sent <- struct{}{}:
		default:
		}
		if i.fault == nil {
			return none
		}
		return i.fault(len(distinct(i.seen)), tx)
	})
	return i
}

// fees raise what is not mined within two minutes of the clock.
func (i *impatient) fees() l1.FeePolicy {
	return l1.FeePolicy{StuckAfter: 2 * time.Minute, Now: i.clock, Logger: slog.New(slog.NewTextHandler(&i.said, nil))}
}

func (i *impatient) clock() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.frozen {
		i.now = i.now.Add(time.Minute)
	}
	return i.now
}

// until waits until what was sent so far fulfils a condition.
func (i *impatient) until(enough func(seen []*types.Transaction) bool) {
	i.t.Helper()
	patience := time.After(time.Minute)
	for {
		i.mu.Lock()
		done := enough(i.seen)
		i.mu.Unlock()
		if done {
			return
		}
		select {
		case <-i.sent:
		case <-patience:
			require.FailNow(i.t, "what is waited for is not sent")
		}
	}
}

// end returns how a run ended.
func (i *impatient) end(done <-chan error) error {
	i.t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		require.FailNow(i.t, "it waits without end")
		return nil
	}
}

// freeze stops the clock: what is sent from now on has time enough.
func (i *impatient) freeze() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.frozen = true
}

func distinct(txs []*types.Transaction) (out []*types.Transaction) {
	known := map[common.Hash]bool{}
	for _, tx := range txs {
		if !known[tx.Hash()] {
			known[tx.Hash()] = true
			out = append(out, tx)
		}
	}
	return out
}

func versions(n int) func([]*types.Transaction) bool {
	return func(seen []*types.Transaction) bool { return len(distinct(seen)) >= n }
}

// requireOneNonce: the versions differ in fees alone, and each outbids the one before.
func requireOneNonce(t *testing.T, txs []*types.Transaction) {
	t.Helper()
	for n, tx := range txs[1:] {
		before := txs[n]
		require.Equal(t, before.Nonce(), tx.Nonce())
		require.Equal(t, before.To(), tx.To())
		require.Equal(t, before.Data(), tx.Data())
		require.Equal(t, before.Gas(), tx.Gas())
		for _, pair := range [][2]*big.Int{{before.GasFeeCap(), tx.GasFeeCap()}, {before.GasTipCap(), tx.GasTipCap()}} {
			enough := new(big.Int).Mul(pair[0], big.NewInt(11))
			require.GreaterOrEqual(t, new(big.Int).Mul(pair[1], big.NewInt(10)).Cmp(enough), 0, "a tenth more than %s: %s", pair[0], pair[1])
		}
	}
}

func (i *impatient) deploy(ctx context.Context, kept l1.DeployJournal) (l1.Deployment, error) {
	return l1.Deploy(ctx, i.conn, i.chain.Keys()[0], l1.DeployConfig{
		ChainID: i.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: time.Millisecond, Keys: []l1.VerifierKey{i.key()},
		Journal: kept, Fees: i.fees(),
	})
}

// TestWhatIsNotMinedIsRaised: every transaction outside the pipeline whose fees became too
// low is replaced at its nonce, and the call succeeds, once.
func TestWhatIsNotMinedIsRaised(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(*impatient) error
		key  int    // of the development chain
		uses uint64 // nonces
	}{
		"deploy": {func(i *impatient) error { _, err := i.deploy(t.Context(), nil); return err }, 0, 2},
		"direct": {func(i *impatient) error {
			work := i.work(1, genesisRoot, i.deployment.Domain, 2)
			data, err := l1.Calldata(work.Proof, work.Words, 1)
			require.NoError(t, err)
			tx, receipt, err := l1.Send(t.Context(), i.conn, i.operator, i.deployment.Rollup, data, time.Millisecond, i.fees())
			if err == nil {
				require.Equal(t, receipt.TxHash, tx.Hash(), "the version that was mined")
			}
			return err
		}, 1, 1},
		"propose": {func(i *impatient) error {
			r, err := l1.NewRegistrar(t.Context(), i.conn, i.chain.Keys()[0], l1.RegistrarConfig{
				ChainID: i.chain.ChainID(), Rollup: i.deployment.Rollup, DeployBlock: i.deployment.Block, Poll: time.Millisecond, Now: i.clock, Fees: i.fees(),
			})
			require.NoError(t, err)
			_, err = r.Propose(t.Context(), newFolder(t).key())
			return err
		}, 0, 2},
		"claim": {func(i *impatient) error {
			claim, err := l1.NewClaim(1, someExits(2), 1)
			require.NoError(t, err)
			cfg := l1.ClaimConfig{ChainID: i.chain.ChainID(), Rollup: i.deployment.Rollup, Poll: time.Millisecond, Fees: i.fees()}
			_, err = l1.ClaimExit(t.Context(), i.conn, i.chain.Keys()[3], cfg, claim)
			return err
		}, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			if name == "claim" {
				h.settleExits(h.submitter(), someExits(2))
			}
			i := newImpatient(h)
			before := h.nonceOf(c.key)
			done := make(chan error, 1)
			go func() { done <- c.run(i) }()
			i.until(versions(4))
			i.freeze()
			defer h.mine()()
			require.NoError(t, i.end(done))
			require.Equal(t, before+c.uses, h.nonceOf(c.key))
			var first []*types.Transaction
			for _, tx := range distinct(i.seen) {
				if tx.Nonce() == before {
					first = append(first, tx)
				}
			}
			require.GreaterOrEqual(t, len(first), 4)
			requireOneNonce(t, first)
		})
	}
}

// TestWhicheverVersionIsMined: nodes may mine any of them. A deployment stores each before
// it sends it, so that another run finds it too.
func TestWhicheverVersionIsMined(t *testing.T) {
	for name, restarts := range map[string]bool{"by this run": false, "by the next run": true} {
		t.Run(name, func(t *testing.T) {
			i := newImpatient(newHarness(t))
			kept := &journal{}
			before := i.nonceOf(0)
			i.fault = func(_ int, tx *types.Transaction) (none faultnode.Fault) {
				row := kept.rows[len(kept.rows)-1]
				assert.Equal(t, row.TxHash, settle.Hash(tx.Hash()), "stored before it is sent")
				if tx.Nonce() == before && len(kept.rows) > 1 {
					return faultnode.Error(-32000, "already known") // another node of theirs has it, and loses it
				}
				return none
			}
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			done := make(chan error, 2)
			var d l1.Deployment
			run := func(ctx context.Context) {
				var err error
				d, err = i.deploy(ctx, kept)
				done <- err
			}
			go run(ctx)
			i.until(versions(3))
			if restarts {
				kill()
				require.ErrorIs(t, i.end(done), context.Canceled)
				again := len(distinct(i.seen))
				go run(t.Context())
				i.until(versions(again + 1)) // it waits for what was stored, and raises that
			}
			i.freeze()
			defer i.mine()()
			require.NoError(t, i.end(done))
			require.Equal(t, before+2, i.nonceOf(0), "one verifier and one rollup")
			require.NoError(t, l1.CheckDeployment(t.Context(), i.client, d))
			require.GreaterOrEqual(t, len(kept.rows), 4)
		})
	}
}

// TestOnlyWhatANodeHasTakenIsRaised: what is not answered keeps its bytes for hours; a
// higher version that is refused takes nothing away from the one that was taken; that its
// fees are too low is believed.
func TestOnlyWhatANodeHasTakenIsRaised(t *testing.T) {
	underpriced := faultnode.Error(-32000, "replacement transaction underpriced")
	full := faultnode.Error(-32000, "txpool is full")
	for name, c := range map[string]struct {
		fault func(i *impatient, version int) faultnode.Fault
		until func(seen []*types.Transaction) bool
		want  int // versions; 0: any number from 4 on
	}{
		"no answer": {func(i *impatient, _ int) (none faultnode.Fault) {
			if len(i.seen) <= 20 {
				return faultnode.Error(-32005, "too many requests")
			}
			i.frozen = true
			return none
		}, func(seen []*types.Transaction) bool { return len(seen) > 20 }, 1},
		"refused": {func(_ *impatient, version int) (none faultnode.Fault) {
			if version == 2 {
				return full
			}
			return none
		}, func(seen []*types.Transaction) bool { return len(seen) > 8 }, 2},
		"underpriced": {func(_ *impatient, version int) (none faultnode.Fault) {
			if version == 2 || version == 3 {
				return underpriced
			}
			return none
		}, versions(4), 0},
	} {
		t.Run(name, func(t *testing.T) {
			i := newImpatient(newHarness(t))
			i.fault = func(version int, _ *types.Transaction) faultnode.Fault { return c.fault(i, version) }
			work := i.work(1, genesisRoot, i.deployment.Domain, 2)
			data, err := l1.Calldata(work.Proof, work.Words, 1)
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() {
				_, _, err := l1.Send(t.Context(), i.conn, i.operator, i.deployment.Rollup, data, time.Millisecond, i.fees())
				done <- err
			}()
			i.until(c.until)
			i.freeze()
			defer i.mine()()
			require.NoError(t, i.end(done))
			got := distinct(i.seen)
			requireOneNonce(t, got)
			if c.want > 0 {
				require.Len(t, got, c.want)
			}
			require.LessOrEqual(t, strings.Count(i.said.String(), "a node refuses"), 1, "said once: %s", &i.said)
		})
	}
}

// TestTheCapKeepsWhatIsUnderWay: no version above it is made, and what was sent goes on.
func TestTheCapKeepsWhatIsUnderWay(t *testing.T) {
	i := newImpatient(newHarness(t))
	hint, err := i.client.SuggestFees(t.Context())
	require.NoError(t, err)
	fees := i.fees()
	most := new(big.Int).Lsh(hint.BaseFee, 1)
	most.Add(most, hint.Tip)
	fees.MaxFee, err = settle.AmountFromBig(most.Add(most, new(big.Int).Div(most, big.NewInt(4)))) // one raise
	require.NoError(t, err)
	work := i.work(1, genesisRoot, i.deployment.Domain, 2)
	data, err := l1.Calldata(work.Proof, work.Words, 1)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, _, err := l1.Send(t.Context(), i.conn, i.operator, i.deployment.Rollup, data, time.Millisecond, fees)
		done <- err
	}()
	i.until(func(seen []*types.Transaction) bool { return len(seen) > 5 }) // shown again and again
	defer i.mine()()
	require.NoError(t, i.end(done))
	require.Len(t, distinct(i.seen), 2)
	require.Equal(t, 1, strings.Count(i.said.String(), "above the configured cap"), "said once: %s", &i.said)
}
