package api

import (
	"context"
	"fmt"
)

// Ready asks the database for the rollup's identity: nil if it is reachable and migrated.
func (s *Server) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	if _, err := s.cfg.Store.Rollup(ctx); err != nil {
		return fmt.Errorf("readiness: %w", err)
	}
	return nil
}
