package node

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/sequencer"
)

// APIConfig configures the REST API. Its bounds are those of api.Config.
type APIConfig struct {
	Version string
	// MaxAccepted unexecuted transactions, or MaxUnproven batches, push submissions back.
	MaxAccepted, MaxUnproven int64

	Origins        []api.Origin   // of web pages that may use the API
	TrustedProxies []netip.Prefix // whose X-Forwarded-For names the client

	MaxConnections       int
	MaxClientConnections int // of one client
	MaxClientSubmitting  int // submissions of one client under way
}

// API serves the REST API on a listener, which it closes, until ctx ends; then it returns
// nil.
func (n *Node) API(ctx context.Context, cfg APIConfig, listener net.Listener) error {
	log := n.Log.With("role", "api")
	fail := func(err error) error { return errors.Join(err, listener.Close()) }
	rollup, err := n.DB.Rollup(ctx)
	if err != nil {
		return fail(err)
	}
	shapes, err := registeredShapes(rollup)
	if err != nil {
		return fail(err)
	}
	server, err := api.New(api.Config{
		Store: n.DB.Store, Rollup: rollup, Metrics: n.Ops.Registry, Log: log, Version: cfg.Version, Kinds: sequencer.KindsOf(shapes),
		MaxAccepted: cfg.MaxAccepted, MaxUnproven: cfg.MaxUnproven,
		Origins: cfg.Origins, TrustedProxies: cfg.TrustedProxies, MaxConnections: cfg.MaxConnections,
		MaxClientConnections: cfg.MaxClientConnections, MaxClientSubmitting: cfg.MaxClientSubmitting,
	})
	if err != nil {
		return fail(err)
	}
	n.Ops.ask("api", server.Ready)
	n.Log.Info("the API is up", "url", "http://"+listener.Addr().String(), "role", "api")
	return api.Serve(ctx, server.Limit(listener), server, log)
}
