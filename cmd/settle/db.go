package main

import "fmt"

type dbCmd struct {
	Migrate dbMigrateCmd `cmd:"" help:"Bring the schema, ours and the job queue's, up to date."`
}

type dbMigrateCmd struct{ dataFlags }

// Run migrates; opening a database does.
func (c dbMigrateCmd) Run(a *app) error {
	db, err := a.openDatabase(c.dataFlags)
	if err != nil {
		return err
	}
	if err := db.close(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, "the schema is up to date")
	return err
}
