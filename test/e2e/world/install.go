package world

import (
	"context"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/helm"
	"github.com/secretreview/secretreview/test/install"
)

// values are those of the chart.
var values = []string{
	"clusterName=" + ClusterName, "aws.region=" + Region, "log.level=debug",
	// Listings come in seconds instead of minutes, and neither AWS nor Git is late.
	"sweep.interval=5s", "consistencyGrace=0s", "projectGrace=0s",
	// A manager that loses its lease ends, and nobody here starts it again: a busy machine must not cost it.
	"leaderElection.leaseDuration=40s", "leaderElection.renewDeadline=30s",
	"identities.gitopsAppliers={" + gitopsUser(Applier) + "}",
}

func setValues() []string {
	var args []string
	for _, value := range values {
		args = append(args, "--set="+value)
	}
	return args
}

// install installs the chart, as people do, and returns once its policies are enforced.
func (w *World) install(ctx context.Context) error {
	kubeconfig := w.file("helm.kubeconfig")
	if err := w.Cluster.WriteKubeconfig(kubeconfig, cluster.Context{Name: Admin, Config: w.Cluster.AdminConfig()}); err != nil {
		return err
	}
	if err := os.MkdirAll(w.file("helm"), 0o700); err != nil {
		return err
	}
	var err error
	if w.helm, err = helm.New(w.file("helm"), kubeconfig); err != nil {
		return err
	}
	chart, err := w.release.chart()
	if err != nil {
		return err
	}
	args := append([]string{"install", helm.Release, chart, "--namespace=" + install.Namespace, "--create-namespace"}, setValues()...)
	if _, err := w.helm.Run(ctx, args...); err != nil {
		return err
	}
	return install.WaitUntilEnforced(ctx, w.Cluster.AdminConfig())
}

// deployed is the Deployment that the chart has made. No kubelet runs it; the manager is started with its arguments.
func (w *World) deployed(ctx context.Context) (*appsv1.Deployment, error) {
	c, err := kubernetes.NewForConfig(w.Cluster.AdminConfig())
	if err != nil {
		return nil, err
	}
	return c.AppsV1().Deployments(install.Namespace).Get(ctx, "secretreview-manager", metav1.GetOptions{})
}
