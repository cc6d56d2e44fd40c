package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
)

// mouth answers every request with the same.
type mouth struct {
	status     int
	media      string
	retryAfter string
	body       []byte
	asked      int
}

func (m *mouth) RoundTrip(r *http.Request) (*http.Response, error) {
	m.asked++
	return &http.Response{
		StatusCode: m.status, Header: http.Header{"Content-Type": {m.media}, "Retry-After": {m.retryAfter}},
		Body: io.NopCloser(bytes.NewReader(m.body)), ContentLength: int64(len(m.body)), Request: r,
	}, nil
}

const problemMedia = "application/problem+json"

// FuzzReply lets an API answer whatever it likes. Each call comes to an end; what it
// returns belongs to what was asked for, and exits and accounts have proofs that hold; an
// error of the API has the status that it came with.
func FuzzReply(f *testing.F) {
	owner, l1 := settle.Element{31: 5}, settle.Address{19: 7}
	seedReplies(f, owner, l1)
	f.Fuzz(func(t *testing.T, status int, media, retryAfter string, body []byte) {
		if status < 200 || status > 599 || status/100 == 3 {
			return // net/http answers before us, or follows
		}
		api := &mouth{status, media, retryAfter, body, 0}
		c, err := client.New("http://api", client.WithHTTPClient(&http.Client{Transport: api}))
		require.NoError(t, err)
		ctx := t.Context()
		var errs []error
		allocated := heap.Allocated(func() {
			tx, err := c.Transaction(ctx, settle.Hash{1})
			errs = append(errs, err)
			requireReadAgain(t, tx, err)
			st, err := c.Status(ctx)
			errs = append(errs, err)
			requireReadAgain(t, st, err)
			_, err = c.Submit(ctx, wire.Transaction{})
			errs = append(errs, err)
			results, err := c.SubmitAll(ctx, make([]wire.Transaction, 2))
			errs = append(errs, err)
			if err == nil {
				require.Len(t, results.Results, 2)
			}
			accounts, err := c.Accounts(ctx, client.Address{Owner: owner, L1: l1})
			errs = append(errs, err)
			for _, a := range accounts {
				require.Equal(t, []any{owner, l1}, []any{a.Owner, a.L1})
			}
			proof, err := c.AccountProof(ctx, 3, 1)
			errs = append(errs, err)
			if err == nil {
				require.Equal(t, settle.AccountIndex(3), proof.Index)
				read, err := client.StateProof(proof)
				require.NoError(t, err)
				root := read.Root(poseidon.New())
				require.Equal(t, proof.Root, settle.Element(root.Bytes()))
			}
			exits, err := c.BatchExits(ctx, 1)
			errs = append(errs, err)
			claims, also := c.Claims(ctx, l1)
			errs = append(errs, also)
			for _, claim := range append(exits.Claims, claims...) {
				if err == nil && also == nil {
					x := publicdata.Exit{L1: claim.L1, Token: claim.Token, Amount: claim.Amount}
					require.NoError(t, publicdata.VerifyExit(claim.ExitsRoot, claim.Batch, claim.Index, x, claim.Siblings))
				}
			}
		})
		require.LessOrEqual(t, api.asked, 10, "8 calls, two of them by pages")
		require.Less(t, allocated, uint64(8<<20+1024*len(body)))
		for _, err := range errs {
			var problem *client.Error
			if errors.As(err, &problem) {
				require.GreaterOrEqual(t, status, 400)
				require.Equal(t, status, problem.Status)
				require.GreaterOrEqual(t, problem.RetryAfter, time.Duration(0))
			} else if status >= 400 {
				require.Fail(t, "an error of the API is none", "%d: %v", status, err)
			}
		}
	})
}

func requireReadAgain[T any](t *testing.T, v T, err error) {
	t.Helper()
	if err != nil {
		return
	}
	first, err := json.Marshal(v)
	require.NoError(t, err)
	var again T
	require.NoError(t, json.Unmarshal(first, &again))
	second, err := json.Marshal(again)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
}

func seedReplies(f *testing.F, owner settle.Element, l1 settle.Address) {
	add := func(v any) {
		encoded, err := json.Marshal(v)
		require.NoError(f, err)
		f.Add(200, "application/json", "", encoded)
	}
	add(wire.TransactionState{ID: settle.Hash{1}, Transaction: wire.Transaction{Kind: "transfer", Amount: settle.Amount{Hi: 1}}, Status: settle.TxAccepted})
	add(wire.Status{Kinds: []string{"transfer"}, FeeAccounts: []wire.FeeAccount{{Token: 1}}})
	add(wire.Results{Accepted: 1, Results: make([]wire.Result, 2)})
	add(wire.Results{Results: make([]wire.Result, 3)})
	mine, next, batch := wire.Account{Index: 3, Owner: owner, L1: l1}, settle.AccountIndex(3), settle.BatchNumber(1)
	add(wire.Accounts{Accounts: []wire.Account{mine}})
	add(wire.Accounts{Accounts: []wire.Account{mine}, Next: &next})
	add(wire.Accounts{Accounts: []wire.Account{{Owner: settle.Element{1}}}})

	account := state.Account{Balance: settle.NewAmount(5), L1: l1}
	account.Owner.SetBytes(owner[:])
	proof := state.Proof{Index: 3, Account: account}
	root := proof.Root(poseidon.New())
	add(wire.AccountProof{Index: 3, Owner: owner, L1: l1, Balance: account.Balance, Root: root.Bytes(), Siblings: make([]settle.Element, 48)})
	add(wire.AccountProof{Index: 3, Owner: owner, L1: l1, Balance: settle.NewAmount(6), Root: root.Bytes(), Siblings: make([]settle.Element, 48)})
	add(wire.AccountProof{Index: 4, Siblings: make([]settle.Element, 47)})

	exits := []publicdata.Exit{{L1: l1, Amount: settle.NewAmount(5)}, {L1: l1, Token: 2, Amount: settle.NewAmount(6)}}
	exitsRoot := publicdata.ExitsRoot(1, exits)
	var claims []wire.Claim
	for i, x := range exits {
		path, err := publicdata.ExitPath(1, exits, i)
		require.NoError(f, err)
		claims = append(claims, wire.Claim{Batch: 1, Index: uint32(i), L1: x.L1, Token: x.Token, Amount: x.Amount, Siblings: path, ExitsRoot: exitsRoot})
	}
	add(wire.BatchExits{Batch: 1, BatchStatus: settle.BatchSettled, ExitsRoot: &exitsRoot, Claims: claims})
	add(wire.BatchExits{Batch: 1, Claims: claims[1:]})
	add(wire.Claims{Claims: claims})
	add(wire.Claims{Claims: claims, Next: &batch})
	claims[0].Amount.Lo++
	add(wire.Claims{Claims: claims})

	f.Add(422, problemMedia, "", []byte(`{"type":"urn:settle:error:expired","title":"t","status":422,"detail":"d","code":"expired"}`))
	f.Add(429, problemMedia+"; charset=utf-8", "3", []byte(`{"status":200,"code":"back_pressure"}`))
	f.Add(503, "text/html", "99999999999999999", []byte("<html>"+strings.Repeat("x", 300)))
	f.Add(500, problemMedia, "-1", []byte("{"))
	f.Add(200, "application/json", "", []byte("null"))
	f.Add(200, "", "", []byte(""))
	f.Add(204, "", "", []byte{0xff})
}
