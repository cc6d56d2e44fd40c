package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Topic is what a notification is about.
type Topic string

// Topics of notifications.
const (
	TopicTransactions Topic = "transactions" // newly accepted ones
	TopicBatches      Topic = "batches"      // a batch changed its status
	TopicJobs         Topic = "jobs"         // a proof job waits for a worker
)

const channelPrefix = "settle_"

// Listener waits for notifications of this schema.
type Listener struct {
	conn   *pgx.Conn
	schema string
}

// Listen opens a connection of its own that hears of topics.
func (s *Store) Listen(ctx context.Context, topics ...Topic) (*Listener, error) {
	conn, err := s.connect(ctx, "listener")
	if err != nil {
		return nil, fmt.Errorf("connect to listen: %w", err)
	}
	l := &Listener{conn: conn}
	err = conn.QueryRow(ctx, currentSchemaSQL).Scan(&l.schema)
	for _, t := range topics {
		if err == nil {
			// An identifier cannot be a parameter.
			_, err = conn.Exec(ctx, "listen "+pgx.Identifier{channelPrefix + string(t)}.Sanitize())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", errors.Join(err, closeConn(ctx, conn)))
	}
	return l, nil
}

// Next waits for a notification. Notifications are hints and can be lost: poll as
// well. After an error other than ctx's the listener is of no more use.
func (l *Listener) Next(ctx context.Context) (Topic, error) {
	for {
		n, err := l.conn.WaitForNotification(ctx)
		if err != nil {
			return "", fmt.Errorf("wait for a notification: %w", err)
		}
		if n.Payload == l.schema {
			return Topic(strings.TrimPrefix(n.Channel, channelPrefix)), nil
		}
	}
}

// Close closes the listener's connection.
func (l *Listener) Close(ctx context.Context) error { return closeConn(ctx, l.conn) }

// notify goes out with tx's commit.
func notify(ctx context.Context, tx pgx.Tx, t Topic) error {
	if _, err := tx.Exec(ctx, notifySQL, t); err != nil {
		return fmt.Errorf("notify of %s: %w", t, err)
	}
	return nil
}

func notifyBatches(ctx context.Context, tx pgx.Tx) error { return notify(ctx, tx, TopicBatches) }
