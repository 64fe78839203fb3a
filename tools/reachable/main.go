// Command reachable succeeds when the server of a URL answers, whatever it answers: reachable URL. It goes
// through the same proxies as the Go tools do.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

const patience = 20 * time.Second

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: reachable URL")
		os.Exit(2)
	}
	client := http.Client{Timeout: patience}
	response, err := client.Head(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = response.Body.Close()
}
