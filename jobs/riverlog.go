package jobs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// riverLog is what an operator needs of River's own messages. What it counts and
// tells of itself is for debugging. Its errors are warnings here, as this package
// tries everything again and says itself what a person must do; while Postgres is
// away each is said once a period.
type riverLog struct {
	slog.Handler
	said   *recently
	period time.Duration
}

// recently remembers when a message was said last.
type recently struct {
	mu   sync.Mutex
	when map[string]time.Time
}

func newRiverLog(cfg *Config) *slog.Logger {
	return slog.New(&riverLog{cfg.Logger.Handler(), &recently{when: map[string]time.Time{}}, cfg.Policy.Remind})
}

// Enabled implements slog.Handler.
func (h *riverLog) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, demoted(level))
}

// Handle implements slog.Handler. A message of River is "Service: text"; its
// attributes get the names that this package uses.
func (h *riverLog) Handle(ctx context.Context, r slog.Record) error {
	level := demoted(r.Level)
	if strings.Contains(r.Message, "Soft stop timeout") {
		level = slog.LevelDebug // a worker that stops says itself what becomes of its job
	}
	if level > slog.LevelDebug && !h.said.due(r.Message, r.Time, h.period) {
		level = slog.LevelDebug
	}
	if !h.Handler.Enabled(ctx, level) {
		return nil
	}
	_, text, found := strings.Cut(r.Message, ": ")
	if !found {
		text = r.Message
	}
	out := slog.NewRecord(r.Time, level, "queue: "+text, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "job_id":
			a.Key = "job"
		case "err":
			a.Key = "error"
		}
		out.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (h *riverLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &riverLog{h.Handler.WithAttrs(attrs), h.said, h.period}
}

// WithGroup implements slog.Handler.
func (h *riverLog) WithGroup(name string) slog.Handler {
	return &riverLog{h.Handler.WithGroup(name), h.said, h.period}
}

func demoted(level slog.Level) slog.Level {
	if level >= slog.LevelWarn {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// due reports whether the message was not said within the period, and notes it.
func (s *recently) due(message string, now time.Time, period time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, said := s.when[message]; said && now.Sub(last) < period {
		return false
	}
	s.when[message] = now
	return true
}
