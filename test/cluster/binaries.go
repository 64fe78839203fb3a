package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// DefaultKubernetesVersion is the Kubernetes release that is used where neither Options nor K8S_VERSION
// names one. The Makefile has the same default.
const DefaultKubernetesVersion = "1.37"

const (
	// binEnv names the folder of built programs; versionEnv the Kubernetes release.
	binEnv     = "SECRETREVIEW_BIN"
	versionEnv = "K8S_VERSION"

	modulePath = "github.com/secretreview/secretreview"
)

// Binaries are the paths of the programs that a cluster is made of, and of its client.
type Binaries struct {
	// Version is the Kubernetes minor release, such as "1.37".
	Version                                     string
	Etcd, APIServer, ControllerManager, Kubectl string
}

// BinDir is the folder that the Makefile builds programs into: SECRETREVIEW_BIN, or .bin beside the go.mod of
// this module, which is looked for from the working directory upwards.
func BinDir() (string, error) {
	if dir := os.Getenv(binEnv); dir != "" {
		return dir, nil
	}
	root, err := RepositoryRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, ".bin"), nil
}

// RepositoryRoot is the folder of this module's go.mod, looked for from the working directory upwards.
func RepositoryRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("cannot tell the working directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), "module "+modulePath+"\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod of %s in %s or above it: run from within the repository or set %s", modulePath, start, binEnv)
		}
	}
}

// FindBinaries returns the programs of a Kubernetes release such as "1.37"; empty means K8S_VERSION, or else
// the default release. That the release's programs are there is checked, but not kube-controller-manager's,
// which few tests need.
func FindBinaries(version string) (Binaries, error) {
	if version == "" {
		version = os.Getenv(versionEnv)
	}
	if version == "" {
		version = DefaultKubernetesVersion
	}
	bin, err := BinDir()
	if err != nil {
		return Binaries{}, err
	}
	release := filepath.Join(bin, "k8s-"+version)
	found := Binaries{
		Version:           version,
		Etcd:              filepath.Join(bin, "etcd"),
		APIServer:         filepath.Join(release, "kube-apiserver"),
		ControllerManager: filepath.Join(release, "kube-controller-manager"),
		Kubectl:           filepath.Join(release, "kubectl"),
	}
	for _, path := range []string{found.Etcd, found.APIServer, found.Kubectl} {
		if err := checkBuilt(path, version); err != nil {
			return Binaries{}, err
		}
	}
	return found, nil
}

func checkBuilt(path, version string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not built: run `make tools K8S_VERSION=%s`, or set %s to a folder that has it", path, version, binEnv)
	}
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", path, err)
	}
	return nil
}
