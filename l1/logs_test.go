package l1_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/faultnode"
	"github.com/zksettle/settle/l1"
)

// span reads how many blocks a search of the log asks for.
func span(t *testing.T, params json.RawMessage) uint64 {
	t.Helper()
	var q []struct{ FromBlock, ToBlock string }
	require.NoError(t, json.Unmarshal(params, &q))
	first, err := strconv.ParseUint(q[0].FromBlock, 0, 64)
	require.NoError(t, err)
	last, err := strconv.ParseUint(q[0].ToBlock, 0, 64)
	require.NoError(t, err)
	return last - first + 1
}

// Searches of the log adapt to a node that takes few blocks at once, whatever it says,
// and grow again when it takes more.
func TestLogSearchesAdaptToTheNode(t *testing.T) {
	for name, refusal := range map[string]faultnode.Fault{
		"limit":     faultnode.Error(-32005, "query returned more than 10000 results"),
		"parameter": faultnode.Error(-32602, "block range too wide"),
		"status": faultnode.Status(http.StatusBadRequest,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"up to a 10 block range"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t)
			proxy, conn := h.proxied()
			var roots []settle.Element
			s := h.submitter()
			for range 2 {
				work := h.next()
				h.rows.add(work)
				roots = append(roots, work.Batch.NewRoot)
				h.settleOne(s)
				for range 70 {
					h.chain.Commit()
				}
			}
			limit, widest := uint64(10), uint64(0)
			proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
				if c.Method != "eth_getLogs" {
					return none
				}
				if n := span(t, c.Params); n > limit {
					return refusal
				} else if n > widest {
					widest = n
				}
				return none
			})
			client := l1.NewClient(conn, h.deployment.Rollup)
			head, err := conn.BlockNumber(t.Context())
			require.NoError(t, err)
			read := func() (seen []settle.Element) {
				require.NoError(t, client.History(t.Context(), h.deployment.Block, head, func(b l1.Settled) error {
					seen = append(seen, b.Root)
					return nil
				}))
				return seen
			}
			require.Equal(t, roots, read())
			require.LessOrEqual(t, widest, limit)
			found, err := client.SettledBy(t.Context(), 1, h.deployment.Block)
			require.NoError(t, err)
			require.NotZero(t, found.TxHash)
			all, err := client.Registry(t.Context(), h.deployment.Block, time.Now())
			require.NoError(t, err)
			require.Len(t, all, 1)
			limit = 1
			require.Equal(t, roots, read(), "one block at a time")
			limit, widest = 1_000, 0
			for range 3 {
				require.Equal(t, roots, read())
			}
			require.Greater(t, widest, uint64(10), "wider again")
		})
	}
}

// An outage is not a window that is too wide: it is told at once, or waited out by who
// has patience.
func TestOutageDuringALogSearch(t *testing.T) {
	h := newHarness(t)
	proxy, conn := h.proxied()
	search := l1.LogSearch{Address: common.Address(h.deployment.Rollup), Last: h.deployment.Block + 2}
	first := func(conn *l1.Conn) (err error) {
		for _, err = range conn.Logs(t.Context(), search) {
			break
		}
		return err
	}
	proxy.Set(on("eth_getLogs", "", faultnode.Status(http.StatusServiceUnavailable, "later")))
	before := proxy.Calls("eth_getLogs")
	require.True(t, l1.IsUnavailable(first(conn)))
	require.Equal(t, before+1, proxy.Calls("eth_getLogs"))

	proxy.Set(func(c faultnode.Call) (none faultnode.Fault) {
		if c.Method == "eth_getLogs" && c.N <= before+2 {
			return faultnode.Drop()
		}
		return none
	})
	patient, err := l1.Dial(t.Context(), proxy.URL(), 0, l1.WithPatience(time.Minute))
	require.NoError(t, err)
	t.Cleanup(patient.Close)
	require.NoError(t, first(patient))
}

// The time that a node takes not to answer counts as patience, and the wait is said: a
// command that runs once would wait in silence for as many time-outs as pauses fit.
func TestPatienceIsOfTheWholeCall(t *testing.T) {
	h := newHarness(t)
	proxy, _ := h.proxied()
	var out bytes.Buffer
	client, err := rpc.DialContext(t.Context(), proxy.URL())
	require.NoError(t, err)
	conn := l1.NewConn(client, l1.WithTimeout(300*time.Millisecond), l1.WithPatience(500*time.Millisecond),
		l1.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	t.Cleanup(conn.Close)
	proxy.Set(on("eth_blockNumber", "", faultnode.Hang()))
	before := proxy.Calls("eth_blockNumber")
	_, err = conn.BlockNumber(t.Context())
	require.ErrorIs(t, err, l1.ErrNoAnswer)
	require.LessOrEqual(t, proxy.Calls("eth_blockNumber"), before+1)
	require.Contains(t, out.String(), "the L1 node is unavailable; it is asked again")
}
