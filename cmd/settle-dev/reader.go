package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
)

// reader reads the log of settle, which is JSON: it finds where the API is, and repeats
// warnings and errors.
type reader struct {
	log  *slog.Logger
	rest []byte

	api, ops string // URLs, once up is closed
	once     sync.Once
	up       chan struct{}
}

func newReader(log *slog.Logger) *reader { return &reader{log: log, up: make(chan struct{})} }

// await waits until the API is up.
func (r *reader) await(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.up:
		return nil
	}
}

// Write implements io.Writer. It is for one goroutine.
func (r *reader) Write(b []byte) (int, error) {
	r.rest = append(r.rest, b...)
	for {
		line, rest, whole := bytes.Cut(r.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		r.line(line)
		r.rest = bytes.Clone(rest)
	}
}

func (r *reader) line(line []byte) {
	fields := map[string]any{}
	if json.Unmarshal(line, &fields) != nil {
		r.log.Warn("settle", "says", string(line))
		return
	}
	message, _ := fields["msg"].(string)
	url, _ := fields["url"].(string)
	switch message {
	case "metrics and health are served":
		r.ops = url
	case "the API is up":
		r.api = url
		r.once.Do(func() { close(r.up) })
	}
	var level slog.Level
	name, _ := fields["level"].(string)
	if level.UnmarshalText([]byte(name)) != nil || level < slog.LevelWarn {
		return
	}
	var attrs []any
	for key, value := range fields {
		if key != "msg" && key != "level" && key != "time" {
			attrs = append(attrs, key, value)
		}
	}
	r.log.Log(context.Background(), level, message, attrs...)
}
