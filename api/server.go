// Package api is the REST interface of the rollup, version 1: submissions,
// accounts, batches and status; and, on a listener of the operator's, health and metrics.
//
//	request -> instrument -> recover -> route -> huma operation -> store
//	                                 \-> problem (404, 405)
//
// A submission is decoded strictly, checked against accounts and fees and its
// signature verified without holding a transaction, then decided and stored by
// store.Admit: durable before it is acknowledged. Every error is an RFC 9457
// problem with a code of docs/errors.md; a failure of ours is never a 4xx.
package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/store"
)

// Store is what the API needs of package store.
type Store interface {
	Admit(ctx context.Context, items []admission.Checked) ([]admission.Outcome, error)
	Backlog(ctx context.Context) (store.Backlog, error)
	FeeAccounts(ctx context.Context) ([]store.FeeAccount, error)
	Account(ctx context.Context, i settle.AccountIndex) (store.Account, error)
	Accounts(ctx context.Context, is []settle.AccountIndex) (map[settle.AccountIndex]store.Account, error)
	AccountsByOwner(ctx context.Context, owner settle.Element, l1 settle.Address, after int64, limit int) ([]store.Account, error)
	PendingBySender(ctx context.Context, senders []settle.AccountIndex) (map[settle.AccountIndex]admission.Pending, error)
	Transaction(ctx context.Context, id settle.Hash) (store.TransactionDetail, error)
	Transactions(ctx context.Context, ids []settle.Hash) (map[settle.Hash]store.TransactionDetail, error)
	FirstAccounts(ctx context.Context, holdings []store.Holding) (map[store.Holding]settle.AccountIndex, error)
	Batch(ctx context.Context, n settle.BatchNumber) (store.BatchDetail, error)
	Batches(ctx context.Context, before settle.BatchNumber, limit int) ([]store.Batch, error)
	LastBatch(ctx context.Context) (store.Batch, error)
	ProvenProgress(ctx context.Context) (store.Progress, error)
	Rollup(ctx context.Context) (store.Rollup, error)
	Status(ctx context.Context) (store.Status, error)
	Blockage(ctx context.Context) (store.Blockage, error)
	Point(ctx context.Context, n settle.BatchNumber) (store.Point, error)
	LastSettled(ctx context.Context) (store.Point, error)
	AccountAt(ctx context.Context, i settle.AccountIndex, n settle.BatchNumber) (store.Account, error)
	EachAccountAt(ctx context.Context, n settle.BatchNumber, f func(store.Account) error) error
	LeavesBetween(ctx context.Context, from, to settle.BatchNumber) ([]store.LeafChange, error)
	BatchWords(ctx context.Context, n settle.BatchNumber) ([]settle.Element, error)
	ClaimsOf(ctx context.Context, batches []settle.BatchNumber) (map[settle.BatchNumber]store.BatchClaims, error)
	ExitBatches(ctx context.Context, l1 settle.Address, after settle.BatchNumber, limit int) ([]settle.BatchNumber, error)
}

// Config configures a Server. Zero values take the defaults named here.
type Config struct {
	Store   Store                // required
	Rollup  store.Rollup         // required: identity, as the store gives it at start-up
	Metrics *prometheus.Registry // a new one if nil; /metrics of Ops shows it
	Log     *slog.Logger         // discarded if nil
	Version string               // of the build, shown in /openapi.json; "dev"
	Kinds   []settle.Kind        // of transaction that are taken (sequencer.KindsOf); transfer alone if nil

	MaxBodyBytes   int64         // of a request; 2 MiB
	MaxAccepted    int64         // accepted, unexecuted transactions from which submissions get 429; 50,000; below 0: no cap
	MaxUnproven    int64         // sealed, unproven batches from which submissions get 429; 1,000; below 0: no cap
	MaxBodyMemory  int64         // bytes of bodies in memory at once, above which submissions get 429; 128 MiB
	MaxSubmitting  int           // submissions being checked and stored at once, above which they get 429; 64
	RequestTimeout time.Duration // of the work on one request, from when its body is read; 15 s
	RetryAfter     time.Duration // told with 429 and 503; 2 s
	BacklogAge     time.Duration // how old a count of unfinished work may be that admits; 250 ms; below 0: always a new one

	Origins []Origin // of web pages that may read replies (CORS); none

	// Bounds on one client, which is an IPv4 address or an IPv6 /64. Below 0: none.
	TrustedProxies       []netip.Prefix // whose X-Forwarded-For names the client; none
	MaxClientSubmitting  int            // of MaxSubmitting; 32
	MaxClientBodyMemory  int64          // of MaxBodyMemory; 32 MiB
	MaxConnections       int            // of a listener that Limit returns, in all; 4,096
	MaxClientConnections int            // of these; 256
}

func (c Config) withDefaults() Config {
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Kinds == nil {
		c.Kinds = []settle.Kind{settle.KindTransfer}
	}
	setDefault(&c.MaxBodyBytes, 2<<20)
	setDefault(&c.MaxAccepted, 50_000)
	setDefault(&c.MaxUnproven, 1_000)
	setDefault(&c.MaxBodyMemory, 128<<20)
	setDefault(&c.MaxSubmitting, 64)
	setDefault(&c.MaxClientSubmitting, 32)
	setDefault(&c.MaxClientBodyMemory, 32<<20)
	setDefault(&c.MaxConnections, 4096)
	setDefault(&c.MaxClientConnections, 256)
	setDefault(&c.RequestTimeout, 15*time.Second)
	setDefault(&c.RetryAfter, 2*time.Second)
	setDefault(&c.BacklogAge, 250*time.Millisecond)
	return c
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Server is the REST interface as an http.Handler.
type Server struct {
	cfg        Config
	log        *slog.Logger
	domain     fr.Element
	fields     []field
	trees      *trees
	backlog    *backlog
	metrics    *metrics
	mux        *http.ServeMux
	handler    http.Handler
	spec       []byte              // /openapi.json
	bodies     *semaphore.Weighted // bytes of bodies in memory
	bodiesOf   *shares             // of bodies, by client
	slots      *shares             // of submitting, by client
	submitting chan struct{}       // slots for submissions that are whole: never held while a client sends
	verifying  chan struct{}       // slots for signature checks, one per core
}

// New returns the API on a store. It registers its metrics with cfg.Metrics.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if cfg.Store == nil {
		return nil, errors.New("api: no store given")
	}
	if cfg.MaxBodyBytes < 0 || cfg.MaxBodyMemory < 0 || cfg.MaxSubmitting < 0 {
		return nil, fmt.Errorf("api: limits must be positive: body %d, memory of bodies %d, submissions %d", cfg.MaxBodyBytes, cfg.MaxBodyMemory, cfg.MaxSubmitting)
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, fields: transactionFields(), mux: http.NewServeMux(),
		trees:      newTrees(cfg.Store),
		backlog:    &backlog{count: cfg.Store.Backlog, age: cfg.BacklogAge},
		bodies:     semaphore.NewWeighted(cfg.MaxBodyMemory),
		bodiesOf:   newShares(cfg.MaxClientBodyMemory),
		slots:      newShares(int64(cfg.MaxClientSubmitting)),
		submitting: make(chan struct{}, cfg.MaxSubmitting),
		verifying:  make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	if err := s.domain.SetBytesCanonical(cfg.Rollup.Domain[:]); err != nil {
		return nil, fmt.Errorf("api: domain %s of the rollup is not a field element: %w", cfg.Rollup.Domain, err)
	}
	var err error
	if s.metrics, err = newMetrics(cfg.Metrics, cfg.Store, cfg.RequestTimeout); err != nil {
		return nil, fmt.Errorf("api: register metrics: %w", err)
	}
	if err := s.routes(); err != nil {
		return nil, err
	}
	s.handler = s.instrument(s.recoverPanics(s.allowOrigins(http.HandlerFunc(s.route))))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// route serves a request, or says by a problem that there is no such route.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.noRoute(w, r)
		return
	}
	ctx := r.Context()
	if r.Method != http.MethodPost { // submit begins its time when the body is read
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.RequestTimeout)
		defer cancel()
	}
	bounded := r.WithContext(ctx)
	bounded.Body = http.MaxBytesReader(w, paced(w, r.Body), s.cfg.MaxBodyBytes)
	defer func() { r.Pattern = bounded.Pattern }() // for the label of instrument
	s.mux.ServeHTTP(w, bounded)
}

// noRoute tells 404 from 405 by trying the other methods.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		newProblem(settle.CodeNotFound, "no route %s, the routes are listed in /openapi.json", quote(r.URL.Path)).write(w)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	newProblem(settle.CodeMethodNotAllowed, "method %s on %s, expected %s", quote(r.Method), quote(r.URL.Path), strings.Join(allowed, " or ")).write(w)
}

// recoverPanics turns a panic into a problem if nothing was sent yet.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			stack := make([]byte, 16<<10)
			stack = stack[:runtime.Stack(stack, false)]
			p := s.internal(r.Context(), fmt.Errorf("panic: %v\n%s", v, stack))
			if rec, ok := w.(*recorder); ok && rec.status != 0 {
				panic(http.ErrAbortHandler) // a truncated reply must not look complete
			}
			p.write(w)
		}()
		next.ServeHTTP(w, r)
	})
}

// reference is a random name for a logged failure.
func (s *Server) reference() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(b[:])
}
