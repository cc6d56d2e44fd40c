package main

import (
	"fmt"

	"github.com/zksettle/settle/bench/report"
)

type benchReportCmd struct {
	Folder string `arg:"" optional:"" help:"Folder of results." default:".settle/bench" type:"path"`
}

// Run makes the page.
func (c benchReportCmd) Run(a *app) error {
	path, err := report.Write(c.Folder)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Stdout, path)
	return err
}
