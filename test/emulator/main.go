// Command emulator serves the Secrets Manager emulator as a process, for the
// development environment and the end-to-end tests.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	var (
		o           emulator.Options
		flags       = flag.NewFlagSet("emulator", flag.ContinueOnError)
		listen      = flags.String("listen", "127.0.0.1:0", "address to serve on; port 0 picks a free one")
		addressFile = flags.String("address-file", "", "file to write the http:// address to, once it is served")
		principals  = flags.String("principals", "", "JSON file with the list of principals that may call; without it, anybody may do anything")
	)
	flags.StringVar(&o.Region, "region", emulator.DefaultRegion, "region to stand for")
	flags.StringVar(&o.AccountID, "account", emulator.DefaultAccountID, "account that owns the secrets")
	flags.DurationVar(&o.ForceDeleteDelay, "force-delete-delay", 0, "how long a secret deleted by force keeps its name; AWS takes seconds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *principals != "" {
		if err := readJSON(*principals, &o.Principals); err != nil {
			return err
		}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	if *addressFile != "" {
		if err := writeWhole(*addressFile, address+"\n"); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(out, address); err != nil {
		return err
	}
	return serve(ctx, listener, emulator.New(o))
}

func readJSON(file string, into any) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// writeWhole never lets a reader see half of the content.
func writeWhole(file, content string) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.WriteString(content); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}

// serve returns once ctx has ended and the calls under way are answered, or
// have had two seconds.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
