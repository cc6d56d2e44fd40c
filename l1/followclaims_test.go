package l1_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/store"
)

// following is a rollup with claimable exits, a store that is to follow their claims, and
// a node between the two.
type following struct {
	*harness
	claims []l1.Claim
	proxy  *faultnode.Proxy
	conn   *l1.Conn
	rows   *postgres
	role   *store.Writer
}

func newFollowing(t *testing.T, exits int) *following {
	t.Helper()
	h := newHarness(t)
	f := &following{harness: h, claims: h.claimable(exits), rows: newPostgres(t, h)}
	f.proxy, f.conn = h.proxied()
	f.role = f.rows.acquire(store.RoleSubmitter)
	return f
}

func (f *following) follower(change ...func(*l1.ClaimFollowerConfig)) *l1.ClaimFollower {
	cfg := l1.ClaimFollowerConfig{
		Rollup: f.deployment.Rollup, DeployBlock: f.deployment.Block, Epoch: f.role.Epoch(), Every: time.Millisecond,
		MaxBackoff: 4 * time.Millisecond, Logger: f.log,
	}
	for _, c := range change {
		c(&cfg)
	}
	return l1.NewClaimFollower(f.conn, f.rows.store, cfg)
}

// searched has every search of the log noted in the returned bounds until the next rule.
func (f *following) searched() *[][2]uint64 {
	var spans [][2]uint64
	f.proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_getLogs" {
			spans = append(spans, bounds(f.t, c.Params))
		}
		return none
	})
	return &spans
}

// bounds are the first and the last block of a search of the log.
func bounds(t *testing.T, params json.RawMessage) (b [2]uint64) {
	t.Helper()
	var q []struct{ FromBlock, ToBlock string }
	require.NoError(t, json.Unmarshal(params, &q))
	for i, text := range []string{q[0].FromBlock, q[0].ToBlock} {
		var err error
		b[i], err = strconv.ParseUint(text, 0, 64)
		require.NoError(t, err)
	}
	return b
}

func (f *following) head() uint64 {
	f.t.Helper()
	n, err := f.client.BlockNumber(f.t.Context())
	require.NoError(f.t, err)
	return n
}

// requireStored compares what is stored with the records of claims by the place of their exits.
func (f *following) requireStored(want map[uint32]l1.Claimed) {
	f.t.Helper()
	rows, err := f.rows.pool.Query(f.t.Context(), "select index, block, tx_hash from claims where batch = 1")
	require.NoError(f.t, err)
	got := map[uint32]l1.Claimed{}
	var index uint32
	var block uint64
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&index, &block, &hash}, func() error {
		got[index] = l1.Claimed{TxHash: settle.Hash(hash), Block: block}
		return nil
	})
	require.NoError(f.t, err)
	for i, c := range want {
		want[i] = l1.Claimed{TxHash: c.TxHash, Block: c.Block}
	}
	require.Equal(f.t, want, got)
}

func (f *following) stored() store.ClaimsFollowed {
	f.t.Helper()
	s, err := f.rows.store.ClaimsFollowed(f.t.Context())
	require.NoError(f.t, err)
	return s
}

// Claims are read from the block of the deployment on; a reorg takes one back; what is
// final is not read again, and nothing is without a new head.
func TestClaimsAreFollowed(t *testing.T) {
	f := newFollowing(t, 4)
	follower, ctx := f.follower(), t.Context()
	first := f.claimed(f.claims[2])
	spans := f.searched()
	require.NoError(t, follower.Look(ctx))
	require.Equal(t, [][2]uint64{{f.deployment.Block, f.head()}}, *spans, "a database without a note begins at the deployment")
	require.Equal(t, f.head(), f.stored().Head)
	f.requireStored(map[uint32]l1.Claimed{2: first})
	require.NoError(t, follower.Look(ctx))
	require.Len(t, *spans, 1, "no new head, no search")

	lost := f.claimed(f.claims[0])
	require.NoError(t, follower.Look(ctx))
	f.requireStored(map[uint32]l1.Claimed{0: lost, 2: first})
	require.NoError(t, f.chain.Reorg(1))
	require.NoError(t, follower.Look(ctx))
	f.requireStored(map[uint32]l1.Claimed{2: first})
	again := f.claimed(f.claims[0])
	require.NoError(t, follower.Look(ctx))
	f.requireStored(map[uint32]l1.Claimed{0: again, 2: first})

	f.chain.Finalize()
	f.chain.Commit()
	require.NoError(t, follower.Look(ctx))
	final := f.head() - 1
	require.Equal(t, store.ClaimsFollowed{Head: final + 1, Final: final, Revision: f.stored().Revision}, f.stored())
	spans = f.searched()
	third := f.claimed(f.claims[3])
	require.NoError(t, f.follower().Look(ctx), "another process goes on there")
	require.Equal(t, [][2]uint64{{final + 1, f.head()}}, *spans)
	f.requireStored(map[uint32]l1.Claimed{0: again, 2: first, 3: third})

	f.proxy.Set(on("eth_getBlockByNumber", "latest", fields(map[string]any{"number": "0x3"})))
	before := f.stored()
	require.NoError(t, follower.Look(ctx), "a node that is behind says nothing")
	require.Equal(t, before, f.stored())
}

// Where the node says no finalized block, claims stay from a depth on that no reorg reaches.
func TestClaimsWithoutAFinalizedBlock(t *testing.T) {
	for name, rule := range map[string]faultnode.Rule{
		"refused": on("eth_getBlockByNumber", "finalized", faultnode.Error(-32602, "unknown tag")),
		"none":    on("eth_getBlockByNumber", "finalized", faultnode.Rewrite(func(json.RawMessage) json.RawMessage { return json.RawMessage("null") })),
		"genesis": on("eth_getBlockByNumber", "finalized", fields(map[string]any{"number": "0x0"})),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFollowing(t, 2)
			f.proxy.Set(rule)
			follower := f.follower(func(c *l1.ClaimFollowerConfig) { c.Depth = 3 })
			kept := f.claimed(f.claims[0])
			for range 3 {
				f.chain.Commit()
			}
			lost := f.claimed(f.claims[1])
			require.NoError(t, follower.Look(t.Context()))
			require.Equal(t, f.head()-3, f.stored().Final)
			f.requireStored(map[uint32]l1.Claimed{0: kept, 1: lost})
			require.NoError(t, f.chain.Reorg(2))
			require.NoError(t, follower.Look(t.Context()))
			f.requireStored(map[uint32]l1.Claimed{0: kept})
		})
	}
}

// A long log is stored in parts, so that a search that breaks off goes on where it was.
func TestClaimsAreStoredInParts(t *testing.T) {
	f := newFollowing(t, 2)
	first := f.claimed(f.claims[1])
	f.chain.Finalize()
	last := f.claimed(f.claims[0])
	part := f.head() - f.deployment.Block - 2 // the second part has the last claim
	follower := f.follower(func(c *l1.ClaimFollowerConfig) { c.Part = part / 2 })
	calls := f.proxy.Calls("eth_getLogs")
	f.proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_getLogs" && c.N > calls+1 {
			return faultnode.Drop()
		}
		return none
	})
	require.Error(t, follower.Look(t.Context()))
	broke := f.deployment.Block + part/2 - 1
	require.Equal(t, store.ClaimsFollowed{Head: broke, Final: broke, Revision: 1}, f.stored())
	f.requireStored(map[uint32]l1.Claimed{1: first})
	spans := f.searched()
	require.NoError(t, follower.Look(t.Context()))
	require.Equal(t, broke+1, (*spans)[0][0])
	require.Equal(t, f.head(), (*spans)[len(*spans)-1][1])
	f.requireStored(map[uint32]l1.Claimed{0: last, 1: first})
}

// A node that refuses to search its log is told of once; batches are settled meanwhile,
// and claims are followed once it does.
func TestClaimsThatCannotBeFollowedStopNothing(t *testing.T) {
	f := newFollowing(t, 1)
	log := f.logged()
	done := f.claimed(f.claims[0])
	asked := make(chan struct{})
	f.proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method != "eth_getLogs" {
			return none
		}
		select {
		case asked <- struct{}{}:
		case <-t.Context().Done():
		}
		return faultnode.Error(-32601, "no logs here")
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { _ = f.follower().Run(ctx) })
	<-asked // the next search waits for its answer while a batch is settled
	s := f.submitter()
	f.settleExits(s, nil)
	f.requireOnChain(2)
	for range 30 { // some looks, each with windows down to a block
		<-asked
	}
	open := make(chan struct{})
	f.proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_getLogs" {
			select {
			case open <- struct{}{}:
			case <-ctx.Done():
			}
		}
		return none
	})
	go func() { // calls that met the rule before
		for {
			select {
			case <-asked:
			case <-open:
			case <-ctx.Done():
				return
			}
		}
	}()
	require.Eventually(t, func() bool { return f.stored().Head == f.head() }, time.Minute, time.Millisecond)
	stop()
	running.Wait()
	f.requireStored(map[uint32]l1.Claimed{0: done})
	require.Equal(t, 1, strings.Count(log.String(), "are not followed"), "once: %s", log)
	require.Zero(t, f.rows.standstill())
}

// standstill is how many reasons of a role that stands still are stored.
func (p *postgres) standstill() (n int) {
	p.h.t.Helper()
	require.NoError(p.h.t, p.pool.QueryRow(p.h.t.Context(), "select count(*) from standstills").Scan(&n))
	return n
}

// Who has lost the role stores nothing more, and stops.
func TestFollowingClaimsEndsWithTheRole(t *testing.T) {
	f := newFollowing(t, 1)
	require.NoError(t, f.role.Release(t.Context()))
	f.rows.acquire(store.RoleSubmitter)
	require.ErrorIs(t, f.follower().Run(t.Context()), store.ErrFenced)
	require.Zero(t, f.stored())
}
