package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
)

// LoadPlan is what a load generator is asked for.
type LoadPlan struct {
	URL         string         `json:"url"`
	ChainID     uint64         `json:"chain_id"`
	Rollup      settle.Address `json:"rollup"`
	Population  Population     `json:"population"`
	Skip        int            `json:"skip"` // transfers of the population's traffic that were sent before
	Transfers   int            `json:"transfers"`
	Array       int            `json:"array"`          // transfers per request; 0: one, not as an array
	Connections int            `json:"connections"`    // requests at once, at most
	Rate        float64        `json:"rate,omitempty"` // requests per second, at random times; 0: as many as the API takes
}

// LoadResult is what became of a load.
type LoadResult struct {
	Seconds  float64   `json:"seconds"`  // from the first request to the last answer
	Accepted int       `json:"accepted"` // transfers
	Requests []Request `json:"requests"`
}

// Request is one request of a load. Due is when it was to be sent: at a stated rate a
// late request counts from then, or a slow API would slow down the measurement as well.
type Request struct {
	Due     time.Time     `json:"due"`
	Seconds float64       `json:"seconds"` // from Due to the answer
	IDs     []settle.Hash `json:"ids"`
}

// Load serves the process that started it: it reads a plan, signs ahead, says ready, and
// when it is told to go sends and writes the result. A refused transfer is an error.
func Load(ctx context.Context, in io.Reader, out io.Writer) error {
	input, output := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	var plan LoadPlan
	if err := input.Decode(&plan); err != nil {
		return fmt.Errorf("read the plan of the load: %w", err)
	}
	l, err := newLoad(plan)
	if err != nil {
		return err
	}
	if err := output.Encode("ready"); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	var word string
	if err := input.Decode(&word); err != nil {
		return fmt.Errorf("wait for the start: %w", err)
	}
	result, err := l.run(ctx)
	if err != nil {
		return err
	}
	if err := output.Encode(result); err != nil {
		return fmt.Errorf("write the result of the load: %w", err)
	}
	return nil
}

// load is a signed plan.
type load struct {
	plan     LoadPlan
	client   *http.Client
	bodies   [][]byte
	requests []Request
	arrivals []time.Duration // from the start, with a rate
}

func newLoad(plan LoadPlan) (*load, error) {
	if plan.Transfers < 1 || plan.Connections < 1 || plan.Array < 0 || plan.Array > settle.MaxSubmitItems || plan.Rate < 0 {
		return nil, fmt.Errorf("load of %d transfers in arrays of %d over %d connections at %g requests/s: expected at least one of each, and arrays of at most %d",
			plan.Transfers, plan.Array, plan.Connections, plan.Rate, settle.MaxSubmitItems)
	}
	s, err := plan.Population.signer(plan.ChainID, plan.Rollup)
	if err != nil {
		return nil, err
	}
	for range plan.Skip {
		s.next()
	}
	l := &load{plan: plan, client: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: plan.Connections, MaxConnsPerHost: plan.Connections},
	}}
	for left := plan.Transfers; left > 0; left -= max(plan.Array, 1) {
		txs, ids, err := s.sign(min(left, max(plan.Array, 1)))
		if err != nil {
			return nil, err
		}
		var body any = txs
		if plan.Array == 0 {
			body = txs[0]
		}
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode transfers: %w", err)
		}
		l.bodies, l.requests = append(l.bodies, encoded), append(l.requests, Request{IDs: ids})
	}
	if plan.Rate > 0 {
		random, at := rand.New(plan.Population.source("arrivals")), time.Duration(0)
		for range l.bodies {
			l.arrivals = append(l.arrivals, at)
			at += time.Duration(random.ExpFloat64() / plan.Rate * float64(time.Second))
		}
	}
	return l, nil
}

// run sends everything.
func (l *load) run(ctx context.Context) (LoadResult, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begun := time.Now()
	next := make(chan int)
	accepted := make([]int, l.plan.Connections)
	var senders sync.WaitGroup
	for c := range l.plan.Connections {
		senders.Go(func() {
			for i := range next {
				n, err := l.send(ctx, i)
				if err != nil {
					cancel(fmt.Errorf("request %d of %d: %w", i+1, len(l.bodies), err))
				}
				accepted[c] += n
			}
		})
	}
	for i := range l.bodies {
		if l.arrivals != nil {
			l.requests[i].Due = begun.Add(l.arrivals[i])
			if err := sleepUntil(ctx, l.requests[i].Due); err != nil {
				break
			}
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	senders.Wait()
	if err := context.Cause(ctx); err != nil {
		return LoadResult{}, err
	}
	result := LoadResult{Seconds: time.Since(begun).Seconds(), Requests: l.requests}
	for _, n := range accepted {
		result.Accepted += n
	}
	if result.Accepted != l.plan.Transfers {
		return LoadResult{}, fmt.Errorf("%d of %d transfers were accepted", result.Accepted, l.plan.Transfers)
	}
	return result, nil
}

func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send sends one request and returns how many transfers were accepted.
func (l *load) send(ctx context.Context, i int) (int, error) {
	r := &l.requests[i]
	if r.Due.IsZero() {
		r.Due = time.Now()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.plan.URL+"/v1/transactions", bytes.NewReader(l.bodies[i]))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	r.Seconds = time.Since(r.Due).Seconds()
	return acceptedIn(resp.StatusCode, reply, l.plan.Array > 0)
}

// acceptedIn reads an answer. Anything but acceptance is an error.
func acceptedIn(status int, reply []byte, array bool) (int, error) {
	refused := fmt.Errorf("answered by %d: %.500s", status, reply)
	if !array {
		if status != http.StatusAccepted {
			return 0, refused
		}
		return 1, nil
	}
	var results wire.Results
	if status != http.StatusOK || json.Unmarshal(reply, &results) != nil || results.Accepted != len(results.Results) {
		return 0, refused
	}
	return results.Accepted, nil
}

// generator is a load generator in a process of its own.
type generator struct {
	p       *process
	in      *json.Encoder
	out     *json.Decoder
	ctx     context.Context
	release func() bool
}

// load starts a load generator and waits until it has signed. URL, rollup and population
// of the plan are the rig's.
func (r *rig) load(plan LoadPlan) (*generator, error) {
	plan.URL, plan.ChainID, plan.Rollup, plan.Population = r.apiURL, r.chainID, r.rollup, r.population
	cmd, err := r.helper("load")
	if err != nil {
		return nil, err
	}
	p, err := startProcess(cmd, nil)
	if err != nil {
		return nil, err
	}
	g := &generator{p: p, in: json.NewEncoder(p.stdin), out: json.NewDecoder(p.stdout), ctx: r.ctx, release: context.AfterFunc(r.ctx, p.kill)}
	var word string
	if err := errors.Join(g.in.Encode(plan), g.out.Decode(&word)); err != nil {
		return nil, g.failed(err)
	}
	return g, nil
}

// send sends the load and returns when all of it is answered.
func (g *generator) send() (LoadResult, error) {
	var result LoadResult
	if err := errors.Join(g.in.Encode("go"), g.out.Decode(&result)); err != nil {
		return result, g.failed(err)
	}
	defer g.release()
	<-g.p.ended
	if g.p.err != nil {
		return result, g.p.failure()
	}
	return result, nil
}

// failed ends the generator and says why.
func (g *generator) failed(err error) error {
	g.release()
	if cause := context.Cause(g.ctx); cause != nil {
		err = cause
	}
	g.p.kill()
	return errors.Join(err, g.p.failure())
}
