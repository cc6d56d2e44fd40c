// Package client is the wallet side of the REST interface: it builds and signs
// transactions, submits them, and reads what became of them.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
)

// maxReply bounds what is read of a reply, in bytes.
const maxReply = 16 << 20

// firstWait is how long a retry waits when no Retry-After says.
const firstWait = 200 * time.Millisecond

// longestWait bounds the growing waits between retries.
const longestWait = 5 * time.Second

// Error is a problem that the API answered.
type Error struct {
	wire.Problem
	RetryAfter time.Duration // 0: not told
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (%d %s): %s", e.Code, e.Status, e.Title, e.Detail)
}

// Temporary reports whether the same request may succeed later: 429 or 503.
func (e *Error) Temporary() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}

// CodeOf returns the code of the problem in err's chain, or "".
func CodeOf(err error) settle.Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Client speaks to one API. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	http  *http.Client
	retry bool
}

// Option configures a Client.
type Option func(*Client)

// WithHTTPClient uses h instead of a client with a timeout of 60 s.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithRetries repeats requests that got 429, 503 or no connection until the
// request's context ends, waiting as Retry-After says. Every request of the
// interface can be repeated safely.
func WithRetries() Option { return func(c *Client) { c.retry = true } }

// New returns a client of the API at base, for example http://127.0.0.1:8080.
func New(base string, options ...Option) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("address of the API: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("address of the API is %q, expected http://host:port or https://host", base)
	}
	c := &Client{base: u, http: &http.Client{Timeout: 60 * time.Second}}
	for _, o := range options {
		o(c)
	}
	return c, nil
}

// Submit submits one transaction. The receipt means that it is stored durably.
func (c *Client) Submit(ctx context.Context, tx wire.Transaction) (wire.Receipt, error) {
	return call[wire.Receipt](ctx, c, http.MethodPost, "/v1/transactions", nil, tx)
}

// SubmitAll submits up to settle.MaxSubmitItems transactions in one request. Each
// has its result, in order; the error is about the request as a whole.
func (c *Client) SubmitAll(ctx context.Context, txs []wire.Transaction) (wire.Results, error) {
	results, err := call[wire.Results](ctx, c, http.MethodPost, "/v1/transactions", nil, txs)
	if err == nil && len(results.Results) != len(txs) {
		return results, fmt.Errorf("%d results for %d transactions", len(results.Results), len(txs))
	}
	return results, err
}

// Transaction returns a stored transaction.
func (c *Client) Transaction(ctx context.Context, id settle.Hash) (wire.TransactionState, error) {
	return call[wire.TransactionState](ctx, c, http.MethodGet, "/v1/transactions/"+id.String(), nil, nil)
}

// Transactions looks several transactions up at once, at most 100.
func (c *Client) Transactions(ctx context.Context, ids []settle.Hash) (wire.Transactions, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return call[wire.Transactions](ctx, c, http.MethodGet, "/v1/transactions", url.Values{"ids": {strings.Join(texts, ",")}}, nil)
}

// Account returns an account by index. Whoever pays to it compares its pair.
func (c *Client) Account(ctx context.Context, index settle.AccountIndex) (wire.Account, error) {
	return call[wire.Account](ctx, c, http.MethodGet, fmt.Sprintf("/v1/accounts/%d", index), nil, nil)
}

// Accounts lists all accounts of a payment address by index, page by page, and
// fails if the API returns one that does not belong to it.
func (c *Client) Accounts(ctx context.Context, a Address) ([]wire.Account, error) {
	query := url.Values{"owner": {a.Owner.String()}, "l1": {a.L1.String()}}
	var all []wire.Account
	var after pages[settle.AccountIndex]
	for {
		page, err := call[wire.Accounts](ctx, c, http.MethodGet, "/v1/accounts", query, nil)
		if err != nil {
			return nil, err
		}
		for _, account := range page.Accounts {
			if account.Owner != a.Owner || account.L1 != a.L1 {
				return nil, fmt.Errorf("account %d belongs to (%s, %s), asked for (%s, %s)", account.Index, account.Owner, account.L1, a.Owner, a.L1)
			}
		}
		all = append(all, page.Accounts...)
		if page.Next == nil {
			return all, nil
		}
		if err := after.turn(query, *page.Next); err != nil {
			return nil, err
		}
	}
}

// pages is the place behind which the last page began.
type pages[T ~uint32] struct {
	after  T
	turned bool
}

// turn asks for the page behind next. One that does not lead on would be read for ever.
func (p *pages[T]) turn(query url.Values, next T) error {
	if p.turned && next <= p.after {
		return fmt.Errorf("the page behind %d leads to %d, expected further on", p.after, next)
	}
	p.after, p.turned = next, true
	query.Set("after", strconv.FormatUint(uint64(next), 10))
	return nil
}

// Batch returns a batch with its proofs and settlement.
func (c *Client) Batch(ctx context.Context, n settle.BatchNumber) (wire.BatchState, error) {
	return call[wire.BatchState](ctx, c, http.MethodGet, fmt.Sprintf("/v1/batches/%d", n), nil, nil)
}

// Batches lists batches below before (0: no bound), newest first, at most limit
// (0: the API's page).
func (c *Client) Batches(ctx context.Context, before settle.BatchNumber, limit int) (wire.Batches, error) {
	query := url.Values{}
	if before > 0 {
		query.Set("before", strconv.FormatUint(uint64(before), 10))
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return call[wire.Batches](ctx, c, http.MethodGet, "/v1/batches", query, nil)
}

// Status returns the rollup's identity, fees, progress and backlog.
func (c *Client) Status(ctx context.Context) (wire.Status, error) {
	return call[wire.Status](ctx, c, http.MethodGet, "/v1/status", nil, nil)
}

// Ready returns nil when the API and its database answer.
func (c *Client) Ready(ctx context.Context) error {
	_, err := call[wire.Status](ctx, c, http.MethodGet, "/v1/status", nil, nil)
	return err
}

func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (T, error) {
	var result T
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return result, fmt.Errorf("%s %s: encode: %w", method, path, err)
		}
	}
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := c.once(ctx, method, target.String(), payload, &result)
		if err == nil {
			return result, nil
		}
		pause, again := retryAfter(err, wait)
		if !c.retry || !again || ctx.Err() != nil {
			return result, fmt.Errorf("%s %s: %w", method, path, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return result, fmt.Errorf("%s %s: %w, last answer: %w", method, path, ctx.Err(), err)
		case <-timer.C:
		}
	}
}

// retryAfter says whether a failed request may be repeated, and after what pause.
func retryAfter(err error, wait time.Duration) (time.Duration, bool) {
	var problem *Error
	if errors.As(err, &problem) {
		return max(wait, problem.RetryAfter), problem.Temporary()
	}
	var transport *url.Error
	return wait, errors.As(err, &transport)
}

func (c *Client) once(ctx context.Context, method, target string, payload []byte, result any) error {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return &url.Error{Op: method, URL: target, Err: err}
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return readProblem(resp, reply)
	}
	if err := json.Unmarshal(reply, result); err != nil {
		return fmt.Errorf("read the reply: %w", err)
	}
	return nil
}

func readProblem(resp *http.Response, reply []byte) error {
	e := &Error{}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(reply, &e.Problem) != nil {
		e.Problem = wire.Problem{Title: http.StatusText(resp.StatusCode), Detail: string(reply[:min(len(reply), 200)])}
	}
	e.Status = resp.StatusCode
	if seconds, err := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 32); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
