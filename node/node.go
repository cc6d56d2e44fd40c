package node

import (
	"context"
	"log/slog"

	"github.com/zksettle/settle/leader"
	"github.com/zksettle/settle/store"
)

// Environment variables that hold secrets or endpoints, which may carry secrets. This
// package reads none of them; it keeps them from processes that have no use for them.
const (
	EnvDatabase = "DATABASE_URL"
	EnvL1       = "L1_URL"
	EnvL1Key    = "SETTLE_L1_PRIVATE_KEY" // 64 hexadecimal digits
	// EnvOpsListen is an address that only one process can listen on.
	EnvOpsListen = "SETTLE_OPS_LISTEN"
)

// Node is what the roles of one process share.
type Node struct {
	DB   *Database
	L1   *L1 // nil: no node is named, and no role here needs one
	Keys Keys
	Log  *slog.Logger
	Ops  *Ops
	// Standby lets a role that another process holds be waited for.
	Standby bool
}

// lead serves in a role that one process holds at a time until ctx ends, the role is
// held elsewhere from the start, or its work cannot heal.
func (n *Node) lead(ctx context.Context, role store.Role, failed func(error), serve func(context.Context, leader.Tenure) error) error {
	return leader.Run(ctx, leader.Config{
		Acquire: leader.From(n.DB.Store), Role: role, Log: n.Log, Fatal: cannotHeal, Standby: n.Standby,
		Standing: n.Ops.role(string(role)), Failed: failed,
	}, serve)
}

// wakes returns a channel that is poked whenever a batch changes its status, until ctx
// ends. Polling goes on without it.
func (n *Node) wakes(ctx context.Context, log *slog.Logger) <-chan struct{} {
	wake := make(chan struct{}, 1)
	go func() {
		listener, err := n.DB.Store.Listen(ctx, store.TopicBatches)
		if err != nil {
			log.Warn("no notifications; the role polls", "error", err)
			return
		}
		defer func() { _ = listener.Close(context.WithoutCancel(ctx)) }()
		for {
			if _, err := listener.Next(ctx); err != nil {
				return
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}()
	return wake
}
