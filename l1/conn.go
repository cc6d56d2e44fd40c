package l1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle/internal/outage"
)

// Defaults of a connection.
const (
	DefaultTimeout   = 30 * time.Second // of one call
	DefaultLogWindow = 5_000            // blocks of one search of the log
)

// ErrNoAnswer reports a call that the node did not answer in time. A transaction
// that was sent so may have been taken.
var ErrNoAnswer = errors.New("the L1 node did not answer")

// Conn is a connection to a node of Ethereum by JSON-RPC. No call waits for ever.
// Blocks, transactions, receipts and logs are what the node says they are: hashes
// are never computed from the other fields, of which a later fork or another chain
// may have more than we know.
type Conn struct {
	rpc      *rpc.Client
	eth      *ethclient.Client // for calls whose answers have no hash
	timeout  time.Duration
	patience time.Duration
	log      *slog.Logger
	logs     logWindow
	told     *outage.Tellers
}

// Option configures a Conn.
type Option func(*Conn)

// WithTimeout bounds each call; DefaultTimeout without it.
func WithTimeout(d time.Duration) Option { return func(c *Conn) { c.timeout = d } }

// WithLogWindow sets how many blocks one search of the log spans at most;
// DefaultLogWindow without it.
func WithLogWindow(blocks uint64) Option { return func(c *Conn) { c.logs.most = blocks } }

// WithPatience has a question that fails because the node is unavailable asked again
// for so long, the time that its answers take included. It is for commands that run once; a role looks again by itself. What
// is sent is not repeated.
func WithPatience(d time.Duration) Option { return func(c *Conn) { c.patience = d } }

// WithLogger names a logger for what the node does not say; none without it.
func WithLogger(log *slog.Logger) Option { return func(c *Conn) { c.log = log } }

// NewConn speaks to a node through client, which Close closes.
func NewConn(client *rpc.Client, options ...Option) *Conn {
	c := &Conn{
		rpc: client, eth: ethclient.NewClient(client), timeout: DefaultTimeout,
		log: slog.New(slog.DiscardHandler), logs: logWindow{most: DefaultLogWindow},
	}
	for _, option := range options {
		option(c)
	}
	c.told = outage.NewTellers(c.log, kindOf)
	return c
}

// Dial connects to the node at rawURL (http, https, ws, wss) and checks that it
// serves chain chainID; 0 takes any.
func Dial(ctx context.Context, rawURL string, chainID uint64, options ...Option) (*Conn, error) {
	c := NewConn(nil, options...)
	client, err := bounded(ctx, c.timeout, "the connection", func(ctx context.Context) (*rpc.Client, error) {
		return rpc.DialContext(ctx, rawURL)
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the L1 node (L1_URL): %w", err)
	}
	c.rpc, c.eth = client, ethclient.NewClient(client)
	if _, err := CheckChain(ctx, c, chainID); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Conn) Close() { c.rpc.Close() }

// bounded gives a call its deadline. The error names the call, and never the
// address of the node, which may hold an access token.
func bounded[T any](ctx context.Context, timeout time.Duration, method string, call func(context.Context) (T, error)) (T, error) {
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := call(within)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded):
		return answer, fmt.Errorf("%w: %s within %s", ErrNoAnswer, method, timeout)
	case errors.Is(err, ethereum.NotFound):
		return answer, err
	}
	return answer, fmt.Errorf("%s: %w", method, answered(withoutURL(err)))
}

// ask makes a call that changes nothing, again while the node is unavailable and
// there is patience left.
func ask[T any](ctx context.Context, c *Conn, method string, call func(context.Context) (T, error)) (T, error) {
	retry := retries{left: c.patience, until: time.Now().Add(c.patience)}
	for {
		answer, err := bounded(ctx, c.timeout, method, call)
		if err == nil || !IsUnavailable(err) {
			return answer, err
		}
		if retry.left > 0 {
			c.told.Failed(ctx, slog.LevelWarn, "the L1 node is unavailable; it is asked again", err, "for", c.patience)
		}
		if !retry.again(ctx) {
			return answer, err
		}
	}
}

// retries are the pauses between tries, each twice the one before.
type retries struct {
	left, pause time.Duration
	until       time.Time // no try begins after it; zero: only pauses count
}

const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// again waits for the next try; false when there is none.
func (r *retries) again(ctx context.Context) bool {
	r.pause = min(max(2*r.pause, firstPause), lastPause)
	if r.left < r.pause || !r.until.IsZero() && time.Now().Add(r.pause).After(r.until) {
		return false
	}
	r.left -= r.pause
	return outage.Pause(ctx, r.pause) == nil
}

// refusal is an error of JSON-RPC that came with an HTTP status.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

func (r *refusal) Error() string  { return r.Message }
func (r *refusal) ErrorCode() int { return r.Code }
func (r *refusal) ErrorData() any { return r.Data }

// answered returns the JSON-RPC error that a node sent with a status of 4xx, which
// some do for every refusal; any other error as it is.
func answered(err error) error {
	var status rpc.HTTPError
	if !errors.As(err, &status) || IsUnavailable(err) {
		return err
	}
	var answer struct {
		Error *refusal `json:"error"`
	}
	if json.Unmarshal(status.Body, &answer) != nil || answer.Error == nil || answer.Error.Message == "" {
		return err
	}
	return fmt.Errorf("%s: %w", http.StatusText(status.StatusCode), answer.Error)
}

// missing says once that the node does not tell something that we can do without.
func (c *Conn) missing(ctx context.Context, what, instead string, err error) {
	c.told.Failed(ctx, slog.LevelWarn, "the L1 node does not say "+what, err, "instead", instead)
}

// ChainID returns the chain's id.
func (c *Conn) ChainID(ctx context.Context) (*big.Int, error) {
	return ask(ctx, c, "eth_chainId", c.eth.ChainID)
}

// BlockNumber returns the number of the head.
func (c *Conn) BlockNumber(ctx context.Context) (uint64, error) {
	return ask(ctx, c, "eth_blockNumber", c.eth.BlockNumber)
}

// BalanceAt returns an account's balance in wei.
func (c *Conn) BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error) {
	return ask(ctx, c, "eth_getBalance", func(ctx context.Context) (*big.Int, error) { return c.eth.BalanceAt(ctx, account, block) })
}

// CodeAt returns the code of a contract.
func (c *Conn) CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error) {
	return ask(ctx, c, "eth_getCode", func(ctx context.Context) ([]byte, error) { return c.eth.CodeAt(ctx, account, block) })
}

// NonceAt returns an account's next nonce.
func (c *Conn) NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error) {
	return ask(ctx, c, "eth_getTransactionCount", func(ctx context.Context) (uint64, error) { return c.eth.NonceAt(ctx, account, block) })
}

// CallContract executes a call without a transaction.
func (c *Conn) CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error) {
	return ask(ctx, c, "eth_call", func(ctx context.Context) ([]byte, error) { return c.eth.CallContract(ctx, call, block) })
}

// EstimateGas simulates a call on the head.
func (c *Conn) EstimateGas(ctx context.Context, call ethereum.CallMsg) (uint64, error) {
	return ask(ctx, c, "eth_estimateGas", func(ctx context.Context) (uint64, error) { return c.eth.EstimateGas(ctx, call) })
}

// SendTransaction gives a signed transaction to the node, once. After an error for
// which IsUnavailable holds the node may have taken it.
func (c *Conn) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	_, err := bounded(ctx, c.timeout, "eth_sendRawTransaction", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.eth.SendTransaction(ctx, tx)
	})
	return err
}
