package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows what a long command is at, on standard error: lines, and on a
// terminal a bar.
type Progress struct {
	name     string // of the command, before each line
	Out      io.Writer
	Terminal bool // out is one
	current  *progressbar.ProgressBar
}

func NewProgress(out io.Writer, name string) *Progress {
	p := &Progress{Out: out, name: name}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			p.Terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

// Write lets log lines go where progress goes.
func (p *Progress) Write(b []byte) (int, error) { return p.Out.Write(b) }

// Step announces the next phase.
func (p *Progress) Step(what string) { fmt.Fprintf(p.Out, "%s: %s\n", p.name, what) }

// Bar starts a bar of n units.
func (p *Progress) Bar(name string, n int) *Bar {
	if !p.Terminal {
		return &Bar{progress: p, name: name, total: n}
	}
	p.current = progressbar.NewOptions(n, progressbar.OptionSetWriter(p.Out), progressbar.OptionSetDescription(name),
		progressbar.OptionShowCount(), progressbar.OptionSetElapsedTime(true), progressbar.OptionThrottle(100*time.Millisecond))
	return &Bar{progress: p, name: name, total: n}
}

func (p *Progress) Done() {
	if p.current != nil {
		_ = p.current.Finish()
		fmt.Fprintln(p.Out)
	}
}

type Bar struct {
	progress *Progress
	name     string
	total    int
	last     string
}

func (b *Bar) Update(n int, describe string) {
	if b.progress.current != nil {
		b.progress.current.Describe(describe)
		_ = b.progress.current.Set(n)
		return
	}
	if line := fmt.Sprintf("%s: %s %d of %d", b.progress.name, describe, n, b.total); line != b.last {
		fmt.Fprintln(b.progress.Out, line)
		b.last = line
	}
}
