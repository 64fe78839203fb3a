package reading

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/dev/stack"
)

// pod returns the pod of a Deployment, as the API server has stored it.
func pod(file, name string) corev1.PodSpec {
	GinkgoHelper()
	kubectl("apply", "--validate=strict", "-f", example("pods", file))
	var deployment appsv1.Deployment
	get(&deployment, "deployment", name)
	Expect(deployment.Spec.Template.Spec.ServiceAccountName).To(Equal("backend-api"))
	return deployment.Spec.Template.Spec
}

// pull runs the example's init container, and reads the file that it leaves to the others.
func pull() map[string]string {
	GinkgoHelper()
	container := pod("init-container.yaml", "backend-api-init").InitContainers[0]
	shared := GinkgoT().TempDir()
	var command []string
	for _, word := range slices.Concat(container.Command, container.Args) {
		command = append(command, strings.Replace(word, container.VolumeMounts[0].MountPath, shared, 1))
	}
	inPod(command...)
	content, err := os.ReadFile(filepath.Join(shared, ".env"))
	Expect(err).NotTo(HaveOccurred())
	parsed, err := dotenv.Parse(bytes.NewReader(content))
	Expect(err).NotTo(HaveOccurred())
	values := map[string]string{}
	for key, value := range parsed.Values {
		values[key] = value.Reveal()
	}
	return values
}

// startedByRun starts a server that tells its environment, and returns what sr has put there.
func startedByRun() map[string]string {
	GinkgoHelper()
	container := pod("run.yaml", "backend-api-run").Containers[0]
	command := slices.Concat(container.Command, container.Args)
	Expect(command[len(command)-1]).To(Equal("/app/server"))
	teller, err := exec.LookPath("env")
	Expect(err).NotTo(HaveOccurred())
	command[len(command)-1] = teller
	before := map[string]bool{}
	for _, variable := range podEnvironment() {
		name, _, _ := strings.Cut(variable, "=")
		before[name] = true
	}
	values := map[string]string{}
	for line := range strings.Lines(inPod(command...)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !before[name] {
			values[name] = value
		}
	}
	return values
}

// podEnvironment is what EKS puts into a pod of the example's ServiceAccount, and where AWS is here.
func podEnvironment() []string {
	GinkgoHelper()
	bin, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	token := filepath.Join(GinkgoT().TempDir(), "token")
	Expect(os.WriteFile(token, []byte(kubectl("create", "token", "backend-api", "--audience=sts.amazonaws.com")), 0o600)).To(Succeed())
	return []string{
		"PATH=" + bin,
		// The SDK's way to the role's credentials does not know AWS_ENDPOINT_URL.
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + s.Endpoint(), "AWS_ENDPOINT_URL_STS=" + s.Endpoint(),
		"AWS_ROLE_ARN=" + readRole().ARN, "AWS_WEB_IDENTITY_TOKEN_FILE=" + token,
		"AWS_REGION=" + stack.Region, "AWS_DEFAULT_REGION=" + stack.Region, "AWS_STS_REGIONAL_ENDPOINTS=regional",
	}
}

// inPod runs a command with nothing of this machine but sr: no home, no kubeconfig.
func inPod(command ...string) string {
	GinkgoHelper()
	bin, err := cluster.BinDir()
	Expect(err).NotTo(HaveOccurred())
	return output(GinkgoT().TempDir(), podEnvironment(), filepath.Join(bin, command[0]), command[1:]...)
}

func output(dir string, env []string, program string, args ...string) string {
	GinkgoHelper()
	command := exec.Command(program, args...)
	var said bytes.Buffer
	command.Env, command.Dir, command.Stderr = env, dir, &said
	printed, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), "%s %v: %s", program, args, &said)
	return string(printed)
}
