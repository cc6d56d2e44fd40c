package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Time limits of the HTTP server.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 20 * time.Second // whole request, 2 MiB at 100 kB/s
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	// writeTimeout leaves room for the work on a request after reading it.
	writeTimeout = 60 * time.Second
	// ShutdownTimeout is how long requests under way may take after ctx ends.
	ShutdownTimeout = 20 * time.Second
)

// Listen opens a TCP listener at addr (host:port). A port that is taken, or not
// allowed, is said with the remedy.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: another process uses that port; stop it, or choose another address (port 0 picks a free one): %w", addr, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("cannot listen on %s: this user may not open that port; choose one above 1023: %w", addr, err)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %q, expected host:port: %w", addr, err)
	}
	return l, nil
}

// Serve answers requests on l until ctx ends, then takes no new ones, lets those
// under way finish within ShutdownTimeout, and returns nil. It closes l.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the API on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	// ctx has ended: the requests under way get a time of their own.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("requests still under way %s after shutdown began: %w", ShutdownTimeout, err), server.Close())
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the API on %s: %w", l.Addr(), err)
	}
	return nil
}
