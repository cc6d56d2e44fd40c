package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/store"
)

const (
	problemType = "application/problem+json"
	typePrefix  = "urn:settle:error:"
)

// problem is a wire.Problem as huma returns it.
type problem struct {
	wire.Problem
	retryAfter time.Duration // 0: no Retry-After header
}

var (
	_ huma.StatusError       = (*problem)(nil)
	_ huma.HeadersError      = (*problem)(nil)
	_ huma.ContentTypeFilter = (*problem)(nil)
)

// Error implements error.
func (p *problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return problemType }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", retrySeconds(p.retryAfter))
	}
	return h
}

// retrySeconds rounds up: Retry-After 0 would invite an immediate retry.
func retrySeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func newProblem(code settle.Code, format string, args ...any) *problem {
	e := explain(code)
	return &problem{Problem: wire.Problem{
		Type: typePrefix + string(code), Title: e.meaning, Status: e.status, Code: code, Detail: fmt.Sprintf(format, args...),
	}}
}

func fromRefusal(r *settle.Refusal) *problem { return newProblem(r.Code, "%s", r.Detail) }

// itemProblem is the problem of one item of an array.
func itemProblem(r *settle.Refusal, index int) *wire.Problem {
	p := fromRefusal(r).Problem
	p.Index = &index
	return &p
}

// failure turns an error into a problem: refusals are the caller's, a database
// that cannot be reached passes, everything else is logged and told as internal.
func (s *Server) failure(ctx context.Context, err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if r, ok := settle.AsRefusal(err); ok {
		return fromRefusal(r)
	}
	if store.IsUnavailable(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		s.log.WarnContext(ctx, "database unavailable", "error", err)
		p := newProblem(settle.CodeUnavailable, "the database cannot be reached for the moment; nothing of this request was lost, repeat it")
		p.retryAfter = s.cfg.RetryAfter
		return p
	}
	return s.internal(ctx, err)
}

// internal logs a failure of ours under a reference that the client is told.
func (s *Server) internal(ctx context.Context, err error) *problem {
	reference := s.reference()
	s.log.ErrorContext(ctx, "request failed", "error", err, "reference", reference)
	return newProblem(settle.CodeInternal, "an unexpected failure on our side, reference %s", reference)
}

// write sends the problem outside of huma.
func (p *problem) write(w http.ResponseWriter) {
	for k, values := range p.GetHeaders() {
		w.Header()[k] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Del("Content-Length")
	w.WriteHeader(p.Status)
	// The status is sent; a client that is gone cannot be told more.
	_ = json.NewEncoder(w).Encode(p.Problem)
}

// transform replaces huma's own error model by ours, for this API alone.
func (s *Server) transform(_ huma.Context, _ string, v any) (any, error) {
	switch e := v.(type) {
	case *problem:
		return e.Problem, nil
	case *huma.ErrorModel:
		return humaProblem(e).Problem, nil
	}
	return v, nil
}

func humaProblem(e *huma.ErrorModel) *problem {
	details := []string{e.Detail}
	for _, d := range e.Errors {
		details = append(details, d.Error())
	}
	code := settle.CodeInternal
	switch {
	case e.Status == http.StatusNotFound:
		code = settle.CodeNotFound
	case e.Status >= 400 && e.Status < 500:
		code = settle.CodeInvalidField
	}
	p := newProblem(code, "%s", strings.Join(details, "; "))
	p.Status = e.Status
	return p
}
