// Package chart_test installs the chart with the real helm on a real API server, and holds it to the manifests in config/.
package chart_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/helm"
	"github.com/secretreview/secretreview/test/suite"
)

var (
	ctx     = context.Background()
	dir     string
	api     *cluster.Cluster
	admin   client.Client
	current *helm.Helm
	chart   string
)

func TestChart(t *testing.T) { suite.Run(t, "The chart") }

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(60 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	dir = GinkgoT().TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	api = cluster.Run(GinkgoTB(), cluster.Options{ControllerManager: true})
	Expect(api.WriteKubeconfig(kubeconfig, cluster.Context{Name: "admin", Config: api.AdminConfig()})).To(Succeed())
	var err error
	admin, err = client.New(api.AdminConfig(), client.Options{Scheme: scheme()})
	Expect(err).NotTo(HaveOccurred())
	current, err = helm.New(dir, kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	chart, err = helm.Chart()
	Expect(err).NotTo(HaveOccurred())
})

func scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	return scheme
}

// required are the values without which there is no installation.
var required = []string{"--set=clusterName=production", "--set=aws.region=eu-central-1"}

// with are the required values and others.
func with(others ...string) []string { return append(append([]string{}, required...), others...) }

// run runs helm, which must succeed.
func run(args ...string) string {
	GinkgoHelper()
	out, err := current.Run(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	return out
}

// release runs a command of helm on the release and the chart.
func release(command, namespace string, args ...string) (string, error) {
	all := append([]string{command, helm.Release, chart, "--namespace=" + namespace}, args...)
	if command == "install" {
		all = append(all, "--create-namespace")
	}
	return current.Run(ctx, all...)
}

// template renders the chart into the default namespace of installations.
func template(h *helm.Helm, args ...string) []*unstructured.Unstructured {
	GinkgoHelper()
	out, err := h.Run(ctx, append([]string{"template", helm.Release, chart, "--namespace=secretreview-system", "--kube-version=1.37"}, args...)...)
	Expect(err).NotTo(HaveOccurred())
	return decode(out)
}

func decode(text string) []*unstructured.Unstructured {
	GinkgoHelper()
	var objects []*unstructured.Unstructured
	for _, document := range strings.Split("\n"+text, "\n---") {
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed(), document)
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects
}

// find returns the object of a kind and name, or nil.
func find(objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	return nil
}

// write makes a file in the suite's folder, and returns its path.
func write(name, content string) string {
	GinkgoHelper()
	path := filepath.Join(dir, name)
	Expect(os.WriteFile(path, []byte(content), 0o600)).To(Succeed())
	return path
}
