package main

import (
	"errors"
	"fmt"

	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/sequencer"
)

type dbCmd struct {
	Migrate dbMigrateCmd `cmd:"" help:"Bring the schema, ours and the job queue's, up to date."`
	Check   dbCheckCmd   `cmd:"" help:"Hash every stored account, and compare accounts, digests, history and the root of the last batch; changes nothing."`
}

type dbMigrateCmd struct{ dataFlags }

// Run migrates.
func (c dbMigrateCmd) Run(a *app) error {
	db, err := a.openDatabase(c.dataFlags, true)
	if err != nil {
		return err
	}
	if err := db.close(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, "the schema is up to date")
	return err
}

type dbCheckCmd struct{ dataFlags }

// Run checks what a start of the sequencer believes. Roles may be at work meanwhile.
func (c dbCheckCmd) Run(a *app) error {
	db, err := a.openDatabase(c.dataFlags, false)
	if err != nil {
		return err
	}
	audit, err := sequencer.Check(a.ctx, db.store, poseidon.New())
	if err := errors.Join(err, db.close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%d accounts are sound: each hashes to its digest and is what its last change left, and the digests lead to root %s of batch %d\n",
		audit.Accounts, audit.Root, audit.Batch)
	return err
}
