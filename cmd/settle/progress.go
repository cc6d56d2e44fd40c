package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows what a long command is at, on standard error: lines, and on a
// terminal a bar.
type progress struct {
	name     string // of the command, before each line
	out      io.Writer
	terminal bool
	current  *progressbar.ProgressBar
}

func newProgress(out io.Writer, name string) *progress {
	p := &progress{out: out, name: name}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			p.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

// Write lets log lines go where progress goes.
func (p *progress) Write(b []byte) (int, error) { return p.out.Write(b) }

// step announces the next phase.
func (p *progress) step(what string) { fmt.Fprintf(p.out, "%s: %s\n", p.name, what) }

// bar starts a bar of n units.
func (p *progress) bar(name string, n int) *bar {
	if !p.terminal {
		return &bar{progress: p, name: name, total: n}
	}
	p.current = progressbar.NewOptions(n, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(name),
		progressbar.OptionShowCount(), progressbar.OptionSetElapsedTime(true), progressbar.OptionThrottle(100*time.Millisecond))
	return &bar{progress: p, name: name, total: n}
}

func (p *progress) done() {
	if p.current != nil {
		_ = p.current.Finish()
		fmt.Fprintln(p.out)
	}
}

type bar struct {
	progress *progress
	name     string
	total    int
	last     string
}

func (b *bar) update(n int, describe string) {
	if b.progress.current != nil {
		b.progress.current.Describe(describe)
		_ = b.progress.current.Set(n)
		return
	}
	if line := fmt.Sprintf("%s: %s %d of %d", b.progress.name, describe, n, b.total); line != b.last {
		fmt.Fprintln(b.progress.out, line)
		b.last = line
	}
}

// newQuietLogger logs warnings and worse: the demo speaks by its progress.
func newQuietLogger(w io.Writer, format string) *slog.Logger {
	return slog.New(newHandler(w, slog.LevelWarn, format))
}
