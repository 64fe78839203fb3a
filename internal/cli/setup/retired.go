package setup

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
)

// AddRetired binds flags of the replaced tool that say nothing any more, so that
// scripts go on. Whoever gives one is told. What is given, which may be a
// password, is kept nowhere.
func AddRetired(errOut io.Writer, flags *pflag.FlagSet, texts, switches []string) {
	for _, name := range texts {
		flags.Var(&retired{errOut, name}, name, "")
		flags.Lookup(name).Hidden = true
	}
	for _, name := range switches {
		flags.Var(&retired{errOut, name}, name, "")
		flags.Lookup(name).Hidden, flags.Lookup(name).NoOptDefVal = true, "true"
	}
}

type retired struct {
	errOut io.Writer
	name   string
}

func (r *retired) String() string { return "" }

func (r *retired) Type() string { return "string" }

func (r *retired) Set(string) error {
	_, err := fmt.Fprintf(r.errOut, "Note: --%s says nothing any more: the cluster and AWS know you by your own credentials.\n", r.name)
	return err
}
