package l1_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// journal keeps what deployments store, as the database does.
type journal struct{ rows []store.DeploymentTransaction }

func (j *journal) DeploymentTransactions(context.Context) ([]store.DeploymentTransaction, error) {
	return j.rows, nil
}

func (j *journal) AddDeploymentTransaction(_ context.Context, t store.DeploymentTransaction) error {
	j.rows = append(j.rows, t)
	return nil
}

// A deployment that is cut off at any send goes on with the same transactions: no second
// verifier, no second rollup, whether the node had taken what was sent or not.
func TestDeployGoesOnWhereItBrokeOff(t *testing.T) {
	for name, fault := range map[string]faultnode.Fault{"taken": faultnode.LoseAnswer(), "lost": faultnode.Drop()} {
		for cut := 1; cut <= 2; cut++ {
			t.Run(name, func(t *testing.T) {
				h := newHarness(t)
				proxy, conn := h.proxied()
				kept := &journal{}
				cfg := l1.DeployConfig{
					ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()}, Journal: kept,
				}
				before, sends := h.nonceOf(0), proxy.Calls("eth_sendRawTransaction")
				killed, kill := context.WithCancel(t.Context())
				proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
					if c.Method == "eth_sendRawTransaction" && c.N == sends+cut {
						require.Len(t, kept.rows, cut, "stored before it is sent")
						kill()
						return fault
					}
					return none
				})
				stop := h.mine()
				_, err := l1.Deploy(killed, conn, h.chain.Keys()[0], cfg)
				require.ErrorIs(t, err, context.Canceled)
				proxy.Set(nil)
				d, err := l1.Deploy(t.Context(), conn, h.chain.Keys()[0], cfg)
				require.NoError(t, err)
				require.NoError(t, l1.CheckDeployment(t.Context(), conn, d))
				require.Equal(t, before+2, h.nonceOf(0), "one verifier and one rollup")

				again, err := l1.Deploy(t.Context(), conn, h.chain.Keys()[0], cfg) // its record was lost
				stop()
				require.NoError(t, err)
				require.Equal(t, d, again)
				require.Equal(t, before+2, h.nonceOf(0))

				cfg.GenesisHash[0]++
				_, err = l1.Deploy(t.Context(), conn, h.chain.Keys()[0], cfg)
				require.ErrorIs(t, err, l1.ErrDeployment)
				require.ErrorContains(t, err, d.Rollup.String())
				require.Equal(t, before+2, h.nonceOf(0))
			})
		}
	}
}

// moments is how many calls of a run are tried as the one before which what is in flight
// gets mined; more than a run makes until it knows of it.
const moments = 30

// What an earlier run has sent is mined while the next one looks for it, before each of its
// calls once: it is found, and nothing is deployed twice.
func TestDeployWhileTheEarlierOneIsMined(t *testing.T) {
	for moment := 1; moment <= moments; moment++ {
		h := newHarness(t)
		proxy, conn := h.proxied()
		cfg := l1.DeployConfig{
			ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()}, Journal: &journal{},
		}
		before := h.nonceOf(0)
		h.sendAndEnd(proxy, func(ctx context.Context) error {
			_, err := l1.Deploy(ctx, conn, h.chain.Keys()[0], cfg)
			return err
		})
		stop := h.mineBefore(proxy, moment)
		_, err := l1.Deploy(t.Context(), conn, h.chain.Keys()[0], cfg)
		stop()
		require.NoError(t, err)
		require.Equal(t, before+2, h.nonceOf(0), "one verifier and one rollup; mined before call %d", moment)
	}
}

// The same of a verifier for a rollup that runs, of whose deployment nothing is kept.
func TestRegisterWhileTheEarlierOneIsMined(t *testing.T) {
	for moment := 1; moment <= moments; moment++ {
		g := newGoverned(t)
		proxy, conn := g.proxied()
		r, err := g.registrarOn(conn, g.chain.Keys()[0], 0)
		require.NoError(t, err)
		before := g.nonce(0)
		g.sendAndEnd(proxy, func(ctx context.Context) error {
			_, err := r.Propose(ctx, g.fold.key())
			return err
		})
		stop := g.mineBefore(proxy, moment)
		_, err = r.Propose(t.Context(), g.fold.key())
		stop()
		require.NoError(t, err)
		require.Equal(t, before+2, g.nonce(0), "one verifier and one proposal; mined before call %d", moment)
	}
}

// sendAndEnd runs until its first transaction is with the node, and ends it there.
func (h *harness) sendAndEnd(proxy *faultnode.Proxy, run func(context.Context) error) {
	h.t.Helper()
	killed, kill := context.WithCancel(h.t.Context())
	defer kill()
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_sendRawTransaction" {
			return faultnode.Rewrite(func(result json.RawMessage) json.RawMessage {
				kill()
				return result
			})
		}
		return none
	})
	require.ErrorIs(h.t, run(killed), context.Canceled)
	proxy.Set(nil)
}

// mineBefore mines a block before the call of this number from now on, and block after
// block from its first transaction on.
func (h *harness) mineBefore(proxy *faultnode.Proxy, moment int) (stop func()) {
	var calls atomic.Int64
	var begin sync.Once
	mining := func() {}
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if calls.Add(1) == int64(moment) {
			h.chain.Commit()
		}
		if c.Method == "eth_sendRawTransaction" && calls.Load() >= int64(moment) {
			begin.Do(func() { mining = h.mine() })
		}
		return none
	})
	return func() {
		proxy.Set(nil)
		mining()
	}
}

// What was stored and can never be mined is made anew: its nonce went to another
// transaction, or nodes refuse its fees.
func TestDeployReplacesWhatCannotBeMined(t *testing.T) {
	h := newHarness(t)
	proxy, conn := h.proxied()
	kept := &journal{}
	cfg := l1.DeployConfig{
		ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()}, Journal: kept,
	}
	sends := proxy.Calls("eth_sendRawTransaction")
	killed, kill := context.WithCancel(t.Context())
	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		switch {
		case c.Method != "eth_sendRawTransaction":
		case c.N == sends+1:
			kill()
			return faultnode.Drop()
		case c.N == sends+2:
			return faultnode.Error(-32000, "transaction underpriced")
		}
		return none
	})
	_, err := l1.Deploy(killed, conn, h.chain.Keys()[0], cfg)
	require.ErrorIs(t, err, context.Canceled)
	first := h.nonceOf(0)
	nobody := common.Address{9}
	h.sendAs(0, first, &nobody, nil)
	h.chain.Commit()
	stop := h.mine()
	d, err := l1.Deploy(t.Context(), conn, h.chain.Keys()[0], cfg)
	stop()
	require.NoError(t, err)
	require.NoError(t, l1.CheckDeployment(t.Context(), conn, d))
	require.Equal(t, first+3, h.nonceOf(0))
}

// What a key without ether has stored is made anew with the key that is given next.
func TestDeployWithAnotherKeyAfterOneWithoutEther(t *testing.T) {
	h := newHarness(t)
	kept := &journal{}
	cfg := l1.DeployConfig{
		ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, UnsafeDevKeys: true, Poll: 2 * time.Millisecond, Keys: []l1.VerifierKey{h.key()}, Journal: kept,
	}
	poor, err := crypto.GenerateKey()
	require.NoError(t, err)
	_, err = l1.Deploy(t.Context(), h.client, poor, cfg)
	require.ErrorContains(t, err, common.Address(address(poor)).Hex())
	require.Len(t, kept.rows, 1)
	_, err = l1.Deploy(t.Context(), h.client, poor, cfg)
	require.ErrorContains(t, err, "no gas money")
	require.Len(t, kept.rows, 1, "the same one, as it is the key's own")
	before, stop := h.nonceOf(0), h.mine()
	d, err := l1.Deploy(t.Context(), h.client, h.chain.Keys()[0], cfg)
	stop()
	require.NoError(t, err)
	require.NoError(t, l1.CheckDeployment(t.Context(), h.client, d))
	require.Equal(t, before+2, h.nonceOf(0))
}

// A rollup whose record was lost with its database is adopted from L1; one that has
// settled, or was deployed otherwise, is not.
func TestAdoptADeployment(t *testing.T) {
	h := newHarness(t)
	cfg := l1.DeployConfig{ChainID: h.chain.ChainID(), GenesisRoot: genesisRoot, GenesisHash: settle.Hash{1}, UnsafeDevKeys: true, Keys: []l1.VerifierKey{h.key()}}
	d, err := l1.Adopt(t.Context(), h.client, h.deployment.Rollup, 0, cfg)
	require.NoError(t, err)
	want := h.deployment
	want.GasUsed = 0
	require.Equal(t, want, d)
	_, err = l1.Adopt(t.Context(), h.client, h.deployment.Rollup, d.Block+1, cfg)
	require.ErrorIs(t, err, l1.ErrDeployment)
	other := cfg
	other.GenesisHash = settle.Hash{2}
	_, err = l1.Adopt(t.Context(), h.client, h.deployment.Rollup, 0, other)
	require.ErrorIs(t, err, l1.ErrDeployment)
	other = cfg
	other.UnsafeDevKeys = false
	_, err = l1.Adopt(t.Context(), h.client, h.deployment.Rollup, 0, other)
	require.ErrorIs(t, err, l1.ErrUnsafeKeys)
	h.prove(1, 2)
	h.settleOne(h.submitter())
	_, err = l1.Adopt(t.Context(), h.client, h.deployment.Rollup, 0, cfg)
	require.ErrorContains(t, err, "has settled 1 batches")
}
