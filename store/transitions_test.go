package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// Every pair of statuses is tried on the bare tables: the database refuses what
// docs/state-machines.md does not draw, whoever writes.
func TestDatabaseRefusesIllegalTransitions(t *testing.T) {
	f := newFixture(t)
	f.prove(f.seal(submission(0, 0, 1)))
	f.prove(f.seal()) // one transaction alone, as its place is unique
	f.plan(1, 2)
	_, err := f.PrepareSettlement(t.Context(), f.submit, spanning(1, 2, 0))
	require.NoError(t, err)

	for table, machine := range map[string]struct {
		statuses []string
		allowed  []string
		columns  string // that satisfy the other checks in status $1
	}{
		"transactions": {
			statuses: []string{"accepted", "executed", "proven", "settled", "final", "rejected"},
			allowed: []string{"accepted>executed", "accepted>rejected", "rejected>accepted", "executed>proven",
				"proven>executed", "proven>settled", "settled>proven", "settled>final"},
			columns: `batch = case when $1 in ('accepted', 'rejected') then null else 1 end,
				position = case when $1 in ('accepted', 'rejected') then null else 0 end,
				reject_code = case when $1 = 'rejected' then 'x' end, reject_detail = case when $1 = 'rejected' then 'x' end`,
		},
		"batches": {
			statuses: []string{"sealed", "proven", "settling", "settled", "final"},
			allowed:  []string{"sealed>proven", "proven>sealed", "proven>settling", "settling>proven", "settling>settled", "settled>proven", "settled>final"},
			columns: `proven_at = case when $1 = 'sealed' then null else now() end,
				settled_at = case when $1 in ('settled', 'final') then now() end, final_at = case when $1 = 'final' then now() end`,
		},
		"settlements": {
			statuses: []string{"prepared", "sent", "mined", "final", "replaced", "failed", "reorged"},
			allowed: []string{"prepared>sent", "prepared>replaced", "prepared>failed", "prepared>mined", "prepared>reorged",
				"sent>mined", "sent>replaced", "sent>failed", "sent>reorged", "mined>final", "mined>reorged",
				"replaced>mined", "failed>mined", "reorged>mined"},
			columns: `block_number = 1, block_hash = tx_hash, gas_used = 1, gas_price = 1,
				failure = case when $1 in ('failed', 'reorged') then 'x' end`,
		},
		"batch_groups": {
			statuses: []string{"planned", "proven", "direct"},
			allowed:  []string{"planned>proven", "planned>direct", "proven>direct"},
			columns:  `proven_at = now()`,
		},
		"proof_jobs": {
			statuses: []string{"available", "running", "completed", "cancelled", "discarded"},
			allowed: []string{"available>running", "available>completed", "available>cancelled", "available>discarded",
				"running>available", "running>completed", "running>cancelled", "running>discarded",
				"completed>available", "completed>discarded", "discarded>available", "discarded>completed", "cancelled>available"},
			columns: `finished_at = case when $1 in ('completed', 'cancelled', 'discarded') then now() end,
				epoch = 9, attempt = 1, holder = 'x', begun_at = now(), heartbeat_at = now(), expires_at = now()`,
		},
	} {
		for _, from := range machine.statuses {
			for _, to := range machine.statuses {
				if from == to {
					continue
				}
				err := try(f, table, machine.columns, from, to)
				if slices.Contains(machine.allowed, from+">"+to) {
					require.NoError(t, err, "%s from %s to %s", table, from, to)
					continue
				}
				var pg *pgconn.PgError
				require.ErrorAs(t, err, &pg, "%s from %s to %s", table, from, to)
				require.Contains(t, []string{table + "_transition", table + "_immutable"}, pg.ConstraintName, "%s from %s to %s: %v", table, from, to, err)
			}
		}
		_, err := f.db.Pool.Exec(t.Context(), fmt.Sprintf("update %s set status = 'nonsense'", table))
		require.Error(t, err)
	}
}

// try forces the one row of table into from with triggers off, and then changes it to
// to with triggers on, in a transaction that is rolled back.
func try(f *fixture, table, columns, from, to string) error {
	undone := errors.New("undone")
	err := pgx.BeginFunc(f.t.Context(), f.db.Pool, func(tx pgx.Tx) error {
		set := fmt.Sprintf("update %s set status = $1::text, %s", table, columns)
		for _, sql := range []string{
			"alter table " + table + " disable trigger user", set, "alter table " + table + " enable trigger user",
		} {
			var args []any
			if sql == set {
				args = []any{from}
			}
			_, err := tx.Exec(context.WithoutCancel(f.t.Context()), sql, args...)
			require.NoError(f.t, err, "%s to %s", table, from)
		}
		if _, err := tx.Exec(f.t.Context(), set, to); err != nil {
			return err
		}
		return undone
	})
	if errors.Is(err, undone) {
		return nil
	}
	return err
}

func TestDatabaseRefusesRewrites(t *testing.T) {
	f := newFixture(t)
	f.prove(f.seal(submission(0, 0, 1)))
	require.NoError(t, f.RefuseProof(t.Context(), f.submit, proofKey(1), []byte("proof"), "refused"))
	require.Len(t, f.awaited(), 1)
	f.prove(f.sealed[0])
	f.settle(1)
	for sql, constraint := range map[string]string{
		"update transactions set amount = amount + 1":                  "transactions_immutable",
		"update transactions set batch = 1, position = position + 1":   "transactions_immutable",
		"update batches set new_root = old_root":                       "batches_immutable",
		"update batches set words = words || words":                    "batches_immutable",
		"update witness_inputs set version = 2":                        "witness_inputs_immutable",
		"update account_changes set after_balance = after_balance + 1": "account_changes_immutable",
		"update refused_proofs set reason = 'x'":                       "refused_proofs_immutable",
		"update rollup set unsafe_dev = false":                         "rollup_immutable",
		"update proof_jobs set batch = last + 1":                       "proof_jobs_immutable",
		"update proof_jobs set key_hash = set_byte(key_hash, 0, 1)":    "proof_jobs_immutable",
		"update proof_jobs set epoch = epoch - 1":                      "proof_jobs_immutable",
		"update proof_jobs set finished_at = null":                     "proof_jobs_finished",
		"insert into settlements (batch, last, attempt, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip) select batch, batch, 2, raw_tx, key_hash, sender, nonce, gas_limit, max_fee, max_tip from settlements, verifiers": "settlements_live",
		"update accounts set balance = -1":                                      "accounts_balance_check",
		"update accounts set balance = 340282366920938463463374607431768211456": "accounts_balance_check",
	} {
		_, err := f.db.Pool.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, sql)
		require.Equal(t, constraint, pg.ConstraintName, sql)
	}
}
