package image_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// container runs an image's program as a container's runtime does: in the image's files alone, as the image's user.
type container struct{ root, entrypoint string }

// user is the image's: TestImagesStartTheirProgramAsNobody.
const user = 65532

// unpack gives a container of the image for this machine. There is a folder /work of its user's, as if a volume were
// mounted there.
func unpack(t *testing.T, image string) container {
	t.Helper()
	var pulled v1.Image
	manifest, err := index(t, image).IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		if d.Platform.Architecture == runtime.GOARCH {
			if pulled, err = index(t, image).Image(d.Digest); err != nil {
				t.Fatal(err)
			}
		}
	}
	if pulled == nil {
		t.Skipf("there is no image for %s", runtime.GOARCH)
	}
	c := container{root: t.TempDir(), entrypoint: config(t, pulled).Config.Entrypoint[0]}
	for folder := c.root; folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // another user has to get there
			t.Fatal(err)
		}
	}
	for name, f := range files(t, pulled) {
		if !f.folder {
			c.write(t, name, f.content, os.FileMode(f.mode))
		}
	}
	work := filepath.Join(c.root, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(work, user, user); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c container) write(t *testing.T, name string, content []byte, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

// run runs the entrypoint in /work, and returns all that it prints.
func (c container) run(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), c.entrypoint, args...)
	command.Dir = "/work"
	command.Env = append([]string{"PATH=/usr/local/bin", "HOME=/"}, env...)
	command.SysProcAttr = c.isolation()
	output, err := command.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		fmt.Printf("\nREPORT: the images' programs were not run in their files alone, which this system lets nobody but root do\n")
		t.Skip("may not change to an image's files and user")
	}
	return string(output), err
}

// isolation is the image's user in the image's files. Who is not root becomes that user in a namespace of their own.
func (c container) isolation() *syscall.SysProcAttr {
	if os.Getuid() == 0 {
		return &syscall.SysProcAttr{Chroot: c.root, Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	return &syscall.SysProcAttr{
		Chroot: c.root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getgid(), Size: 1}},
	}
}

func TestProgramsRunInTheirImageAlone(t *testing.T) {
	for _, image := range names {
		t.Run(image, func(t *testing.T) {
			got, err := unpack(t, image).run(t, nil, "--version")
			if err != nil || got != image+" version "+version+"\n" && got != image+" "+version+"\n" {
				t.Errorf("says %q, %v", got, err)
			}
		})
	}
}

// TestImagePullsIntoAVolume is sr as an init container, behind a certificate authority of the company's own.
func TestImagePullsIntoAVolume(t *testing.T) {
	aws := httptest.NewUnstartedServer(emulator.New(emulator.Options{}))
	aws.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	aws.StartTLS()
	defer aws.Close()
	create(t, aws, "secret-review/backend-api/production", `{"DB_PASSWORD":"correct-horse"}`)
	c := unpack(t, "sr")
	c.write(t, "authority.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: aws.Certificate().Raw}), 0o644)
	env := []string{"AWS_ACCESS_KEY_ID=app", "AWS_SECRET_ACCESS_KEY=app", "AWS_ENDPOINT_URL=" + aws.URL}
	pull := []string{"pull", "-p", "backend-api", "-e", "production", "--region", emulator.DefaultRegion, "--prefix", "secret-review/"}

	if got, err := c.run(t, env, pull...); err == nil || !strings.Contains(got, "certificate") {
		t.Errorf("trusts an authority that nobody named: %q, %v", got, err)
	}
	for _, trust := range []string{"SSL_CERT_FILE", "AWS_CA_BUNDLE"} {
		if got, err := c.run(t, append(env, trust+"=/authority.pem"), pull...); err != nil {
			t.Fatalf("with %s: %v\n%s", trust, err, got)
		}
	}
	path := filepath.Join(c.root, "work", ".env")
	content, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(content), "DB_PASSWORD=correct-horse\n") {
		t.Errorf("wrote %q, %v", content, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("wrote it with %s", info.Mode())
	}
}

// create makes a live secret, as a platform team does.
func create(t *testing.T, aws *httptest.Server, name, value string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"Name": name, "SecretString": value, "ClientRequestToken": "0123456789abcdef0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, aws.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "secretsmanager.CreateSecret")
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	// The emulator believes a signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=platform/20250101/"+emulator.DefaultRegion+
		"/secretsmanager/aws4_request, SignedHeaders=host, Signature=none")
	answer, err := aws.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("got %s", answer.Status)
	}
}
