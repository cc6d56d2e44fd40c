package l1

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// LogSearch asks for events of a contract in the blocks First to Last.
type LogSearch struct {
	Address     common.Address
	Topics      [][]common.Hash // as in eth_getLogs
	First, Last uint64
	NewestFirst bool // the latest blocks first, and in them the latest event
}

// growAfter is how many windows in a row a node must take before a wider one is
// tried: one that takes 10 blocks at most is not asked for 20 all the time.
const growAfter = 8

// logWindow is how many blocks the node takes in one search. Nodes refuse wide
// ones, each with a limit of its own, and one may depend on how much is found.
type logWindow struct {
	most uint64 // blocks; at least 1

	mu    sync.Mutex
	size  uint64 // 0: most
	taken int    // windows in a row
}

func (w *logWindow) blocks() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size == 0 {
		w.size = max(w.most, 1)
	}
	return w.size
}

// grow notes a window that was taken.
func (w *logWindow) grow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken++; w.taken >= growAfter {
		w.size, w.taken = min(2*w.size, max(w.most, 1)), 0
	}
}

// shrink notes that a window of so many blocks was refused; false at one block.
func (w *logWindow) shrink(refused uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = 0
	w.size = min(w.size, max(refused/2, 1))
	return refused > 1
}

// Logs implements Node. It searches in windows: half as wide when the node refuses
// one, down to a single block, and wider again once it takes them.
func (c *Conn) Logs(ctx context.Context, search LogSearch) iter.Seq2[*types.Log, error] {
	return func(yield func(*types.Log, error) bool) {
		retry := retries{left: c.patience} // by pauses alone: a range is found by tries that end in time-outs
		for first, last := search.First, search.Last; first <= last; {
			from, to := first, last
			if blocks := c.logs.blocks(); last-first >= blocks {
				if search.NewestFirst {
					from = last - blocks + 1
				} else {
					to = first + blocks - 1
				}
			}
			logs, err := c.logsOf(ctx, search, from, to)
			switch {
			case err == nil:
			case refusesRange(err) && c.logs.shrink(to-from+1):
				continue
			case errors.Is(err, ErrNoAnswer) && c.logs.shrink(to-from+1), IsUnavailable(err):
				// A node that is down, or that such a search takes too long.
				if retry.again(ctx) {
					continue
				}
				fallthrough
			default:
				yield(nil, fmt.Errorf("blocks %d to %d: %w", from, to, err))
				return
			}
			c.logs.grow()
			retry = retries{left: c.patience}
			if search.NewestFirst {
				slices.Reverse(logs)
			}
			for _, l := range logs {
				if !l.Removed && !yield(l, nil) {
					return
				}
			}
			switch {
			case search.NewestFirst && from == first, to == last && !search.NewestFirst:
				return // the numbers of blocks may end here
			case search.NewestFirst:
				last = from - 1
			default:
				first = to + 1
			}
		}
	}
}

func (c *Conn) logsOf(ctx context.Context, search LogSearch, first, last uint64) ([]*types.Log, error) {
	answers, err := bounded(ctx, c.timeout, "eth_getLogs", func(ctx context.Context) (answers []*answeredLog, err error) {
		return answers, c.rpc.CallContext(ctx, &answers, "eth_getLogs", map[string]any{
			"address": search.Address, "topics": search.Topics,
			"fromBlock": hexutil.Uint64(first), "toBlock": hexutil.Uint64(last),
		})
	})
	if err != nil {
		return nil, err
	}
	logs := make([]*types.Log, len(answers))
	for i, a := range answers {
		if logs[i], err = a.log(); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

// refusesRange reports whether the node answered and would not search: there is no
// code for a range that is too wide, and as many texts as nodes.
func refusesRange(err error) bool {
	var refused rpc.Error
	if errors.As(err, &refused) {
		return true
	}
	var status rpc.HTTPError
	if !errors.As(err, &status) || IsUnavailable(err) {
		return false
	}
	return status.StatusCode >= http.StatusBadRequest && status.StatusCode != http.StatusUnauthorized &&
		status.StatusCode != http.StatusForbidden && status.StatusCode != http.StatusNotFound
}
