package main

import (
	"fmt"

	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/sequencer"
)

type dbCmd struct {
	Migrate dbMigrateCmd `cmd:"" help:"Bring the database schema up to date."`
	Check   dbCheckCmd   `cmd:"" help:"Hash every stored account, and compare accounts, digests, history and the root of the last batch. Nothing is changed."`
}

type dbMigrateCmd struct{ dataFlags }

// Run migrates.
func (c dbMigrateCmd) Run(a *app) error {
	db, err := migrateFlags{Migrate: true}.open(a, c.dataFlags)
	if err != nil {
		return err
	}
	db.Close()
	_, err = fmt.Fprintln(a.Stdout, "the schema is up to date")
	return err
}

type dbCheckCmd struct{ dataFlags }

// Run checks what a start of the sequencer believes. Roles may be at work meanwhile.
func (c dbCheckCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		audit, err := sequencer.Check(a.Ctx, db.Store, poseidon.New())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.Stdout, "%d accounts are sound: each hashes to its digest and is what its last change left, and the digests lead to root %s of batch %d\n",
			audit.Accounts, audit.Root, audit.Batch)
		return err
	})
}
