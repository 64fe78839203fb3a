package chart_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/helm"
)

// kubelet runs the first pod of a name that comes, as a kubelet would, but as a process: its container's arguments are those
// of the manager, its account is the pod's. It returns what the process printed.
type kubelet struct {
	program, endpoint string
}

func (k kubelet) run(ctx context.Context, pod *corev1.Pod) (printed string, err error) {
	account, err := api.ServiceAccountConfig(ctx, pod.Namespace, pod.Spec.ServiceAccountName)
	if err != nil {
		return "", err
	}
	kubeconfig := filepath.Join(dir, "pod.kubeconfig")
	if err := api.WriteKubeconfig(kubeconfig, cluster.Context{Name: "pod", Config: account}); err != nil {
		return "", err
	}
	container := pod.Spec.Containers[0]
	cmd := exec.CommandContext(ctx, k.program, append(container.Args, "--patience=5s", "--aws-max-attempts=1")...)
	cmd.Env = []string{"KUBECONFIG=" + kubeconfig, "AWS_ENDPOINT_URL=" + k.endpoint, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true"}
	for _, variable := range container.Env {
		value := variable.Value
		if variable.ValueFrom != nil {
			value = pod.Namespace // the one field that is asked for
		}
		cmd.Env = append(cmd.Env, variable.Name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	phase := corev1.PodSucceeded
	if err != nil {
		phase = corev1.PodFailed
	}
	pod.Status.Phase = phase
	return string(out), admin.Status().Update(ctx, pod)
}

// serve waits for the pod, which is made anew for each test.
func (k kubelet) serve(ctx context.Context, name client.ObjectKey, printed *string) error {
	return wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var pod corev1.Pod
		if err := admin.Get(ctx, name, &pod); err != nil || pod.Status.Phase != corev1.PodPending || pod.DeletionTimestamp != nil {
			return false, client.IgnoreNotFound(err)
		}
		var err error
		*printed, err = k.run(ctx, &pod)
		return true, err
	})
}

var _ = Describe("helm test", Ordered, func() {
	const namespace = "verified"
	var (
		aws  *emulator.Emulator
		node kubelet
	)

	// test runs helm test and the pod that it makes.
	test := func() (printed string, err error) {
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		served := make(chan error, 1)
		go func() {
			served <- node.serve(limited, client.ObjectKey{Namespace: namespace, Name: "secretreview-manager-verify"}, &printed)
		}()
		_, err = current.Run(limited, "test", helm.Release, "--namespace="+namespace, "--timeout=50s")
		return printed, errors.Join(err, <-served)
	}

	lead := func(renewed time.Time) {
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "secretreview-manager"}}
		Expect(client.IgnoreNotFound(admin.Delete(ctx, lease))).To(Succeed())
		lease.Spec = coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("pod-1"), LeaseDurationSeconds: ptr.To(int32(3600)), RenewTime: ptr.To(metav1.NewMicroTime(renewed)),
		}
		Expect(admin.Create(ctx, lease)).To(Succeed())
	}

	BeforeAll(func() {
		aws = emulator.New(emulator.Options{Region: "eu-central-1"})
		server := httptest.NewServer(aws)
		DeferCleanup(server.Close)
		node = kubelet{program: filepath.Join(dir, "manager"), endpoint: server.URL}
		root, err := cluster.RepositoryRoot()
		Expect(err).NotTo(HaveOccurred())
		build := exec.Command("go", "build", "-o", node.program, "./cmd/manager")
		build.Dir = root
		out, err := build.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		_, err = release("install", namespace, required...)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() {
			_, err := release("upgrade", namespace, with("--set=crds.keep=false")...)
			Expect(err).NotTo(HaveOccurred())
			run("uninstall", helm.Release, "--namespace="+namespace)
		})
		lead(time.Now())
	})

	It("succeeds where everything works", func() {
		printed, err := test()
		Expect(err).NotTo(HaveOccurred(), printed)
		Expect(printed).To(And(
			ContainSubstring("admission policies: in force, as shipped"),
			ContainSubstring("leader: pod-1 leads"),
			ContainSubstring("AWS: account 123456789012, region eu-central-1, 0 secrets under secret-review/"),
		))
	})

	It("fails where nobody leads", func() {
		lead(time.Now().Add(-2 * time.Hour))
		DeferCleanup(func() { lead(time.Now()) })
		printed, err := test()
		Expect(err).To(HaveOccurred())
		Expect(printed).To(ContainSubstring("leader: FAILED: the leader pod-1 has not renewed its lease for 2h"))
	})

	It("fails where a policy is weakened", func() {
		DeferCleanup(func() {
			_, err := release("upgrade", namespace, required...)
			Expect(err).NotTo(HaveOccurred())
		})
		patch := []byte(`[{"op": "replace", "path": "/spec/validationActions", "value": ["Audit"]}]`)
		binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: guard.IdentityPolicy}}
		Expect(admin.Patch(ctx, binding, client.RawPatch("application/json-patch+json", patch))).To(Succeed())
		printed, err := test()
		Expect(err).To(HaveOccurred())
		Expect(printed).To(ContainSubstring("admission policies: FAILED: "))
	})

	It("fails where AWS is out of reach", func() {
		was := node.endpoint
		node.endpoint = "http://127.0.0.1:1"
		DeferCleanup(func() { node.endpoint = was })
		printed, err := test()
		Expect(err).To(HaveOccurred())
		Expect(printed).To(ContainSubstring("AWS: FAILED: "))
	})
})
