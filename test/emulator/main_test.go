package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestItServesWhereItSaysUntilItIsStopped(t *testing.T) {
	dir := t.TempDir()
	principals := filepath.Join(dir, "principals.json")
	if err := os.WriteFile(principals, []byte(`[{"accessKeyId":"alice"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	addressFile := filepath.Join(dir, "address")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, printed := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--address-file", addressFile, "--principals", principals, "--region", "eu-west-1"}, printed)
	}()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(string(line[:n]))
	if written, err := os.ReadFile(addressFile); err != nil || strings.TrimSpace(string(written)) != address {
		t.Errorf("the file says %q, the output %q, %v", written, address, err)
	}
	if body := health(t, address); !strings.Contains(body, `"region":"eu-west-1"`) {
		t.Errorf("it answers %s", body)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not stop")
	}
}

func health(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/_emulator/health", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestItRefusesPrincipalsThatItCannotRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "principals.json")
	if err := os.WriteFile(file, []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, file + ".none"} {
		if err := run(t.Context(), []string{"--principals", path}, io.Discard); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
