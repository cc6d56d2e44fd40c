package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
)

// mostStop is how long settling may stand still while something is proven and nothing
// is out of reach.
const mostStop = time.Minute

// badNode is a way in which nodes have been seen to answer.
type badNode struct {
	name string
	rule faultnode.Rule
}

// always answers every call so.
func always(f faultnode.Fault) faultnode.Rule {
	return func(faultnode.Call) faultnode.Fault { return f }
}

// only answers calls of one method so.
func only(method string, f faultnode.Fault) faultnode.Rule {
	return func(c faultnode.Call) faultnode.Fault {
		if c.Method == method {
			return f
		}
		return faultnode.Fault{}
	}
}

func badNodes() []badNode {
	const send = "eth_sendRawTransaction"
	return []badNode{
		{"it has no block tag finalized", func(c faultnode.Call) faultnode.Fault {
			if c.Method == "eth_getBlockByNumber" && strings.Contains(string(c.Params), "finalized") {
				return faultnode.Error(-39001, "Unknown block")
			}
			return faultnode.Fault{}
		}},
		{"it never answers for a nonce", only("eth_getTransactionCount", faultnode.Hang())},
		{"its headers hash to something else", only("eth_getBlockByNumber", faultnode.Rewrite(otherExtraData))},
		{"it answers -32005 in HTTP 200", always(faultnode.Error(-32005, "request rate limited"))},
		{"it answers HTTP 403", always(faultnode.Status(http.StatusForbidden, "no"))},
		{"it answers HTTP 429", always(faultnode.Status(http.StatusTooManyRequests, "slow down"))},
		{"it refuses sends by a rate limit", only(send, faultnode.Error(-32005, "too many requests"))},
		{"its pool is full", only(send, faultnode.Error(-32000, "txpool is full"))},
		{"it has a cap on fees", only(send, faultnode.Error(-32000, "tx fee (1.20 ether) exceeds the configured cap (1.00 ether)"))},
		{"it takes sends and closes the connection", only(send, faultnode.LoseAnswer())},
		{"it says that it knows what it is sent", only(send, faultnode.Error(-32000, "already known"))},
		{"it allows ten blocks of the log", func(c faultnode.Call) faultnode.Fault {
			if c.Method == "eth_getLogs" && blocksOf(c.Params) > 10 {
				return faultnode.Error(-32005, "query exceeds max block range 10")
			}
			return faultnode.Fault{}
		}},
	}
}

// otherExtraData is a header with a field that we cannot know, under the hash of the chain.
func otherExtraData(result json.RawMessage) json.RawMessage {
	header := map[string]json.RawMessage{}
	if json.Unmarshal(result, &header) != nil || header["hash"] == nil {
		return result
	}
	header["extraData"] = json.RawMessage(`"0x66"`)
	changed, err := json.Marshal(header)
	if err != nil {
		return result
	}
	return changed
}

func blocksOf(params json.RawMessage) uint64 {
	var filters []struct{ FromBlock, ToBlock string }
	if json.Unmarshal(params, &filters) != nil || len(filters) != 1 {
		return 0
	}
	from, err1 := strconv.ParseUint(strings.TrimPrefix(filters[0].FromBlock, "0x"), 16, 64)
	to, err2 := strconv.ParseUint(strings.TrimPrefix(filters[0].ToBlock, "0x"), 16, 64)
	if err1 != nil || err2 != nil || to < from {
		return 0
	}
	return to - from + 1
}

// planBadNodes draws when the node misbehaves, in each way in turn.
func (d *drill) planBadNodes(faults int) {
	ways := badNodes()
	d.rand.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
	for i := range faults {
		way := ways[i%len(ways)]
		d.pending = append(d.pending, fault{at: 0.95 * d.rand.Float64(), name: way.name, begin: func() bool { return d.misbehaves(way) }})
	}
}

// misbehaves lets the node answer badly for a while, unless it does already.
func (d *drill) misbehaves(way badNode) bool {
	d.t.Helper()
	if d.nodeBad || d.nodeAway {
		return false
	}
	period := d.between(*drillBad/2, *drillBad)
	d.note("the node misbehaves for %s: %s", period.Round(100*time.Millisecond), way.name)
	d.outage()
	d.nodeBad = true
	d.proxy.Set(way.rule)
	d.after(period, func() {
		d.proxy.Set(nil)
		d.nodeBad = false
		d.restored()
	})
	return true
}

// watchStop measures how long nothing has been settled although something is proven and
// nothing is out of reach.
func (d *drill) watchStop() {
	now := time.Now()
	if d.outages > 0 || d.proven == d.settled || d.settled != d.moved.settled {
		d.moved.settled, d.moved.when = d.settled, now
		return
	}
	d.result.StopSeconds = max(d.result.StopSeconds, now.Sub(d.moved.when).Seconds())
}

// mostBehind is how many proofs of later batches may be begun before a batch that was put
// back in the queue, by the death of its worker or by a failure: one that asked just then.
const mostBehind = 1

// requireSwift bounds the longest stop and the head-of-line delay, and counts how many
// later batches were proven before one that was sealed earlier.
func (d *drill) requireSwift() {
	d.t.Helper()
	d.result.Overtaken = one[int](d.rig, `select coalesce(max(n), 0) from (
		select count(*) n from proofs p join proofs q on q.batch > p.batch and q.stored_at < p.stored_at and q.circuit = p.circuit
		where p.circuit = $1 group by p.batch) overtaken`, settle.CircuitTransition)
	putBack, err := d.rig.store.Overtakings(d.t.Context())
	require.NoError(d.t, err)
	d.result.PutBack = len(putBack)
	for _, b := range putBack {
		d.result.Behind = max(d.result.Behind, b.By)
	}
	require.LessOrEqual(d.t, d.result.Behind, mostBehind, "proofs of later batches were begun before one that was put back: %+v", putBack)
	if !*drillAggregate { // there what is proven waits to be folded
		require.Less(d.t, d.result.StopSeconds, mostStop.Seconds(), "settling stood still")
	}
}
