package main

import (
	"encoding/json"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
)

// badRig has a proxy in front of its chain.
func badRig(t *testing.T) (*rig, *faultnode.Proxy) {
	t.Helper()
	node, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, node.Close()) })
	proxy, err := faultnode.New(node.URL())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	r := rigOn(t, testdb.Empty(t).URL, proxy.URL())
	r.deploy()
	return r, proxy
}

func (r *rig) standing() (view pipeline) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal(testcmd.Succeed(r.t, r.env(node.EnvL1, ""), "status", "--json"), &view))
	return view
}

// TestUpOutlivesALimitedNode: the connection that holds the submitter's role breaks while
// the node refuses everything with an error that may mean anything. API, sequencer and
// workers go on, and settling goes on afterwards.
func TestUpOutlivesALimitedNode(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]faultnode.Fault{
		"limit exceeded": faultnode.Error(-32005, "daily request count exceeded, request rate limited"),
		"unknown code":   faultnode.Error(-31999, "an answer that nobody has seen before"),
		"forbidden":      faultnode.Status(403, "no"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, proxy := badRig(t)
			up := r.serve("up")
			r.submit(2)
			r.awaitSettled()
			proxy.Set(func(faultnode.Call) faultnode.Fault { return fault })
			require.Equal(t, 1, one[int](r, `select count(pg_terminate_backend(pid)) from pg_locks, hashtextextended('settle/' || current_schema() || '/submitter', 0) key
				where locktype = 'advisory' and granted and ((classid::bigint << 32) | objid::bigint) = key`))
			up.Await("the work of the role broke off")
			r.submit(2)
			r.await("transactions are proven all the while", func() bool { return r.status().Transactions.Proven == 2 })
			r.await("status says why", func() bool { return r.standing().StandsStill != nil })
			proxy.Set(nil)
			r.awaitSettled()
			r.await("status says no more", func() bool { return r.standing().StandsStill == nil })
			r.release(up)
			up.Stop()
		})
	}
}

// TestNoGasMoney is an error with the address and the missing amount, in the log and in
// the status.
func TestNoGasMoney(t *testing.T) {
	t.Parallel()
	r, proxy := badRig(t)
	key, err := devchain.DevKey(0)
	require.NoError(t, err)
	operator := crypto.PubkeyToAddress(key.PublicKey).Hex()
	up := r.serve("up")
	proxy.Set(func(c faultnode.Call) faultnode.Fault {
		switch c.Method {
		case "eth_sendRawTransaction":
			return faultnode.Error(-32000, "insufficient funds for gas * price + value: balance 16, tx cost 999, overshot 983")
		case "eth_getBalance":
			return faultnode.Rewrite(func(json.RawMessage) json.RawMessage { return json.RawMessage(`"0x10"`) })
		}
		return faultnode.Fault{}
	})
	r.submit(2)
	up.Await("level=ERROR msg=\"settling fails.*no gas money: " + operator + ` lacks [1-9][0-9]* wei \(it has 16\)`)
	r.await("status says so", func() bool { return r.standing().StandsStill != nil })
	require.Contains(t, r.standing().StandsStill.Reason, operator)
	require.Contains(t, string(testcmd.Succeed(t, r.env(node.EnvL1, ""), "status")), "SETTLEMENT STANDS STILL")
	proxy.Set(nil)
	r.awaitSettled()
	r.await("status says no more", func() bool { return r.standing().StandsStill == nil })
	r.release(up)
	up.Stop()
}
