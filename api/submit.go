package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/store"
)

// submitInput gives the handler the raw body: transactions are decoded by our own
// strict reader, which names what is wrong with a stable code.
type submitInput struct{ request huma.Context }

// Resolve implements huma.Resolver.
func (in *submitInput) Resolve(ctx huma.Context) []error {
	in.request = ctx
	return nil
}

type submitOutput struct {
	Status int
	Body   any // wire.Receipt or wire.Results
}

// item is one transaction on its way through admission.
type item struct {
	admission.Checked // its id is 0 until it is checked
	admission.Outcome
	warning *wire.Warning // of one that was good and new
}

func (s *Server) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	if err := checkMedia(in.request); err != nil {
		return nil, s.refuseAll(s.failure(ctx, err), 1)
	}
	// The body is read before the slot is taken: a slot never waits for a client.
	request, _ := humago.Unwrap(in.request)
	client := accountable(s.clientAddress(request))
	body, release, err := s.readBody(request.Body, client)
	defer release()
	if err != nil {
		return nil, s.refuseAll(s.failure(ctx, err), 1)
	}
	free, err := s.takeSlot(client)
	if err != nil {
		return nil, s.refuseAll(s.failure(ctx, err), 1)
	}
	defer free()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	items, array, err := s.readItems(body)
	if err != nil {
		return nil, s.refuseAll(s.failure(ctx, err), 1)
	}
	if err := s.admit(ctx, items); err != nil {
		return nil, s.refuseAll(s.failure(ctx, err), len(items))
	}
	s.count(items)
	if array {
		return &submitOutput{Status: http.StatusOK, Body: results(items)}, nil
	}
	if r := items[0].Refusal; r != nil {
		return nil, fromRefusal(r)
	}
	receipt := wire.Receipt{ID: items[0].ID, Status: items[0].Status, Existing: items[0].Existing, Warning: items[0].warning}
	out := &submitOutput{Status: http.StatusAccepted, Body: receipt}
	if receipt.Existing {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (s *Server) refuseAll(p *problem, n int) *problem {
	s.metrics.refused(p.Code, max(n, 1))
	return p
}

func (s *Server) backPressure(format string, args ...any) *problem {
	p := newProblem(settle.CodeBackPressure, "%s; nothing was stored, submit it again after %s seconds",
		fmt.Sprintf(format, args...), retrySeconds(s.cfg.RetryAfter))
	p.retryAfter = s.cfg.RetryAfter
	return p
}

// readItems decodes the items of a body. An item that cannot be read
// carries its refusal; an error is about the request as a whole.
func (s *Server) readItems(body []byte) (items []item, array bool, err error) {
	raws, array, err := splitBody(body)
	if err != nil {
		return nil, array, err
	}
	items = make([]item, len(raws))
	for i, raw := range raws {
		var err error
		if items[i].Transaction, err = decodeTransaction(s.fields, s.cfg.Kinds, raw); err != nil {
			if items[i].Refusal, err = refusalOf(err); err != nil {
				return nil, array, err
			}
		}
	}
	return items, array, nil
}

// refusalOf returns the refusal that err is, or err itself when it is a failure of ours.
func refusalOf(err error) (*settle.Refusal, error) {
	if r, ok := settle.AsRefusal(err); ok {
		return r, nil
	}
	return nil, err
}

func checkMedia(request huma.Context) error {
	if encoding := request.Header("Content-Encoding"); encoding != "" && encoding != "identity" {
		return newProblem(settle.CodeUnsupportedMedia, "Content-Encoding is %s, expected none", quote(encoding))
	}
	header := request.Header("Content-Type")
	if header == "" {
		return nil
	}
	if media, _, err := mime.ParseMediaType(header); err != nil || media != "application/json" {
		return newProblem(settle.CodeUnsupportedMedia, "Content-Type is %s, expected application/json", quote(header))
	}
	return nil
}

// admit checks the items and stores the good ones, in a few queries whatever their
// number. On an error nothing was stored.
func (s *Server) admit(ctx context.Context, items []item) error {
	if err := s.checkBacklog(ctx); err != nil {
		return err
	}
	if err := s.check(ctx, items); err != nil {
		return err
	}
	if err := s.warn(ctx, items); err != nil { // before anything is stored
		return err
	}
	var checked []admission.Checked
	var places []int
	for i := range items {
		if items[i].Refusal == nil {
			checked, places = append(checked, items[i].Checked), append(places, i)
		}
	}
	if len(checked) == 0 {
		return nil
	}
	outcomes, err := s.cfg.Store.Admit(ctx, checked)
	if err != nil {
		return fmt.Errorf("admit: %w", err)
	}
	if len(outcomes) != len(checked) {
		return fmt.Errorf("admit: %d outcomes for %d items", len(outcomes), len(checked))
	}
	for k, outcome := range outcomes {
		it := &items[places[k]]
		if it.Outcome = outcome; outcome.Existing {
			it.warning = nil // the account may be its own
		}
	}
	return nil
}

// checkBacklog answers 429 from the caps on. Requests under way at once can pass a
// cap by what they hold, which is bounded by MaxSubmitting.
func (s *Server) checkBacklog(ctx context.Context) error {
	for _, anew := range []bool{false, true} {
		b, err := s.backlog.read(ctx, anew)
		if err != nil {
			return err
		}
		switch {
		case s.cfg.MaxAccepted > 0 && b.Accepted >= s.cfg.MaxAccepted:
			err = s.backPressure("%d transactions wait for execution, the cap is %d", b.Accepted, s.cfg.MaxAccepted)
		case s.cfg.MaxUnproven > 0 && b.Unproven >= s.cfg.MaxUnproven:
			err = s.backPressure("%d batches wait for a proof, the cap is %d", b.Unproven, s.cfg.MaxUnproven)
		default:
			return nil
		}
		if anew {
			return err
		}
	}
	return nil
}

// check applies the rules of admission that need no lock. No database connection
// is held while signatures are verified, on at most one goroutine per core in all.
func (s *Server) check(ctx context.Context, items []item) error {
	rules, accounts, err := s.rules(ctx, items)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	next, failures := make(chan int), make([]error, len(items))
	for range min(cap(s.verifying), len(items)) {
		wg.Go(func() {
			for i := range next {
				s.verifying <- struct{}{}
				checked, err := admission.Check(rules, accounts, items[i].Transaction)
				<-s.verifying
				items[i].Checked = checked
				if err != nil {
					items[i].Refusal, failures[i] = refusalOf(err)
				}
			}
		})
	}
	for i := range items {
		if items[i].Refusal == nil && ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	wg.Wait()
	return errors.Join(append(failures, ctx.Err())...)
}

// rules reads what the items are checked against.
func (s *Server) rules(ctx context.Context, items []item) (admission.Rules, admission.Accounts, error) {
	rules := admission.Rules{Domain: s.domain, MinFees: map[settle.TokenID]settle.Amount{}, NextBatch: 1, Kinds: s.cfg.Kinds}
	fees, err := s.cfg.Store.FeeAccounts(ctx)
	if err != nil {
		return rules, nil, fmt.Errorf("read fee accounts: %w", err)
	}
	for _, f := range fees {
		rules.MinFees[f.Token] = f.MinFee
	}
	switch last, err := s.cfg.Store.LastBatch(ctx); {
	case err == nil:
		rules.NextBatch = last.Number + 1
	case !errors.Is(err, store.ErrNotFound):
		return rules, nil, fmt.Errorf("read the last batch: %w", err)
	}
	seen := map[settle.AccountIndex]bool{}
	var indices []settle.AccountIndex
	for i := range items {
		if items[i].Refusal != nil {
			continue
		}
		for _, index := range admission.Named(&items[i].Transaction) {
			if !seen[index] {
				seen[index], indices = true, append(indices, index)
			}
		}
	}
	accounts := admission.Accounts{}
	if len(indices) == 0 {
		return rules, accounts, nil
	}
	found, err := s.cfg.Store.Accounts(ctx, indices)
	if err != nil {
		return rules, nil, fmt.Errorf("read accounts: %w", err)
	}
	for index, a := range found {
		accounts[index] = admission.Account{Owner: a.Owner, Token: a.Token, L1: a.L1}
	}
	return rules, accounts, nil
}

func (s *Server) count(items []item) {
	accepted, existing := 0, 0
	for i := range items {
		switch {
		case items[i].Refusal != nil:
			s.metrics.refused(items[i].Refusal.Code, 1)
		case items[i].Existing:
			existing++
		default:
			accepted++
		}
	}
	s.backlog.add(accepted)
	s.metrics.submitted(outcomeAccepted, accepted)
	s.metrics.submitted(outcomeExisting, existing)
}

func results(items []item) wire.Results {
	out := wire.Results{Results: make([]wire.Result, len(items))}
	for i := range items {
		r := &out.Results[i]
		if id := items[i].ID; id != (settle.Hash{}) {
			r.ID = &id
		}
		if refusal := items[i].Refusal; refusal != nil {
			out.Refused++
			r.Problem = itemProblem(refusal, i)
			continue
		}
		r.Status, r.Existing, r.Warning = items[i].Status, items[i].Existing, items[i].warning
		if r.Existing {
			out.Existing++
		} else {
			out.Accepted++
		}
	}
	return out
}
