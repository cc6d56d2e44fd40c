package store

import (
	"context"
	"fmt"
	"time"
)

// Standstill is why a role makes no progress, and since when.
type Standstill struct {
	Reason string
	Since  time.Time
}

// NoteStandstill says why a role makes no progress; an empty reason says that it does
// again. It is a note for people: nothing depends on it, so it needs no epoch.
func (s *Store) NoteStandstill(ctx context.Context, role Role, reason string) error {
	var err error
	if reason == "" {
		_, err = s.pool.Exec(ctx, standstillOverSQL, role)
	} else {
		_, err = s.pool.Exec(ctx, standstillNoteSQL, role, reason)
	}
	if err != nil {
		return fmt.Errorf("note of the %s: %w", role, err)
	}
	return nil
}

// Standstill returns why a role makes no progress, or ErrNotFound.
func (s *Store) Standstill(ctx context.Context, role Role) (Standstill, error) {
	v, err := one(ctx, s.pool, func(v *Standstill) []any { return []any{&v.Reason, &v.Since} }, standstillSQL, role)
	if err != nil {
		return v, fmt.Errorf("note of the %s: %w", role, err)
	}
	return v, nil
}
