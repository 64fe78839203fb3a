// Command emulator serves the Secrets Manager emulator as a process, for the
// development environment and the end-to-end tests.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
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
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

func run() error {
	var (
		o           emulator.Options
		listen      = flag.String("listen", "127.0.0.1:0", "address to serve on; port 0 picks a free one")
		addressFile = flag.String("address-file", "", "file to write the http:// address to, once it is served")
		principals  = flag.String("principals", "", "JSON file with the list of principals that may call; without it, anybody may do anything")
	)
	flag.StringVar(&o.Region, "region", emulator.DefaultRegion, "region to stand for")
	flag.StringVar(&o.AccountID, "account", emulator.DefaultAccountID, "account that owns the secrets")
	flag.DurationVar(&o.ForceDeleteDelay, "force-delete-delay", 0, "how long a secret deleted by force keeps its name; AWS takes seconds")
	flag.Parse()
	if *principals != "" {
		if err := readJSON(*principals, &o.Principals); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	if *addressFile != "" {
		if err := writeWhole(*addressFile, address+"\n"); err != nil {
			return err
		}
	}
	fmt.Println(address)
	return serve(listener, emulator.New(o))
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

// serve returns when the process is told to stop.
func serve(listener net.Listener, handler http.Handler) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
