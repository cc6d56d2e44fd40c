package main

import (
	"context"
	"errors"
	"time"

	"github.com/zksettle/settle/store"
)

// standbyFlags are of the roles that one process holds at a time.
type standbyFlags struct {
	Standby bool `help:"While another process holds the role, wait and take it over when that one is gone."`
}

// standbyLook is the time between two tries to take a role over.
const standbyLook = time.Second

// wait returns when the role is free, at once unless this process stands by. Who
// takes it a moment earlier keeps it, and the role's own start says so.
func (f standbyFlags) wait(a *app, db *database, role store.Role) error {
	if !f.Standby {
		return nil
	}
	log := a.log.With("role", string(role))
	told := false
	for {
		writer, err := db.store.AcquireWriter(a.ctx, role, holder())
		switch {
		case err == nil:
			return writer.Release(context.WithoutCancel(a.ctx))
		case a.ctx.Err() != nil:
			return a.ctx.Err()
		case !errors.Is(err, store.ErrWriterHeld) && !store.IsUnavailable(err):
			return err
		case !told:
			log.Info("standing by", "reason", err)
			told = true
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(standbyLook):
		}
	}
}
