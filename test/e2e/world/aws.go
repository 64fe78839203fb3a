package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/cluster/process"
)

// Region is where the emulator pretends to be.
const Region = "us-east-1"

// AWS is the emulator's process, and the administration of it.
type AWS struct {
	URL     string
	process *process.Process
}

func startAWS(dir, program string) (*AWS, error) {
	addressFile := filepath.Join(dir, "emulator.address")
	started, err := process.Start(process.Command{
		Name: "emulator", Path: program, Dir: dir, LogFile: filepath.Join(dir, "emulator.log"),
		Args: []string{"-region", Region, "-address-file", addressFile},
	})
	if err != nil {
		return nil, err
	}
	a := &AWS{process: started}
	err = until(func() (bool, error) {
		if !started.Running() {
			return false, started.Exited()
		}
		content, err := os.ReadFile(addressFile)
		a.URL = strings.TrimSpace(string(content))
		return err == nil, nil
	})
	return a, err
}

// Calls is the log of all calls, oldest first.
func (a *AWS) Calls() []emulator.Call {
	ginkgo.GinkgoHelper()
	var calls []emulator.Call
	a.admin(http.MethodGet, "calls", nil, &calls)
	return calls
}

// Secrets is all that there is, with labels and tags, but no values.
func (a *AWS) Secrets() []emulator.SecretState {
	ginkgo.GinkgoHelper()
	var secrets []emulator.SecretState
	a.admin(http.MethodGet, "secrets", nil, &secrets)
	return secrets
}

// SetStacks replaces all CloudFormation stacks.
func (a *AWS) SetStacks(stacks ...emulator.Stack) {
	ginkgo.GinkgoHelper()
	a.admin(http.MethodPut, "stacks", stacks, nil)
}

// SetState changes what AWS, not a caller, does to a secret.
func (a *AWS) SetState(secret string, state emulator.State) {
	ginkgo.GinkgoHelper()
	a.admin(http.MethodPost, "state", struct {
		Secret string `json:"secret"`
		emulator.State
	}{secret, state}, nil)
}

// Advance moves AWS's clock, forward or back.
func (a *AWS) Advance(d time.Duration) {
	ginkgo.GinkgoHelper()
	a.admin(http.MethodPost, "clock", map[string]string{"advance": d.String()}, nil)
}

// Fail makes calls fail until the running spec ends, or the returned function is called.
func (a *AWS) Fail(faults ...emulator.Fault) (mend func()) {
	ginkgo.GinkgoHelper()
	for _, fault := range faults {
		a.inject(fault, 0)
	}
	ginkgo.DeferCleanup(a.mend)
	return a.mend
}

// Forever is longer than any spec takes.
const Forever = time.Hour

// Hold is a call that AWS has received and does not carry out yet.
type Hold struct{ aws *AWS }

// HoldNext lets the next call that matches wait, and then be carried out unless its caller is gone by then. Other faults
// must have struck before.
func (a *AWS) HoldNext(match emulator.Fault, duration time.Duration) *Hold {
	ginkgo.GinkgoHelper()
	match.Kind, match.Count = emulator.FaultDelay, 1
	a.inject(match, duration)
	ginkgo.DeferCleanup(a.mend)
	return &Hold{aws: a}
}

// Await returns once the call has arrived.
func (h *Hold) Await() {
	ginkgo.GinkgoHelper()
	gomega.Eventually(func() []emulator.Fault {
		var left []emulator.Fault
		h.aws.admin(http.MethodGet, "faults", nil, &left)
		return left
	}).WithTimeout(Patience).WithPolling(pollInterval).Should(gomega.BeEmpty(), "the call to be held has not come")
}

func (a *AWS) mend() {
	ginkgo.GinkgoHelper()
	a.admin(http.MethodDelete, "faults", nil, nil)
}

func (a *AWS) inject(fault emulator.Fault, delay time.Duration) {
	ginkgo.GinkgoHelper()
	a.admin(http.MethodPost, "faults", struct {
		emulator.Fault
		Delay string `json:"delay"`
	}{fault, delay.String()}, nil)
}

func (a *AWS) setPrincipals(principals []emulator.Principal) {
	ginkgo.GinkgoHelper()
	a.admin(http.MethodPut, "principals", principals, nil)
}

func (a *AWS) admin(method, path string, in, out any) {
	ginkgo.GinkgoHelper()
	body, err := json.Marshal(in)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	request, err := http.NewRequest(method, a.URL+emulator.AdminPath+path, bytes.NewReader(body))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	status, answer := send(request)
	gomega.Expect(status).To(gomega.Equal(http.StatusOK), string(answer))
	if out != nil {
		gomega.Expect(json.Unmarshal(answer, out)).To(gomega.Succeed())
	}
}

// Account calls Secrets Manager itself with somebody's access key, as the aws command would.
type Account struct {
	aws *AWS
	key string
}

// As returns the Account of whoever has an access key.
func (a *AWS) As(key string) Account { return Account{aws: a, key: key} }

// Call makes a call and returns its answer, or the error code that AWS answers with.
func (c Account) Call(operation string, in map[string]any) (out map[string]any, code string) {
	ginkgo.GinkgoHelper()
	body, err := json.Marshal(in)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	request, err := http.NewRequest(http.MethodPost, c.aws.URL, bytes.NewReader(body))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	request.Header.Set("X-Amz-Target", "secretsmanager."+operation)
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	// The emulator believes a signature.
	request.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=%s/20250101/%s/secretsmanager/aws4_request, SignedHeaders=host, Signature=none", c.key, Region))
	status, answer := send(request)
	gomega.Expect(json.Unmarshal(answer, &out)).To(gomega.Succeed())
	if status == http.StatusOK {
		return out, ""
	}
	kind, _ := out["__type"].(string)
	gomega.Expect(kind).NotTo(gomega.BeEmpty(), string(answer))
	return nil, kind[strings.LastIndex(kind, "#")+1:]
}

// Must makes a call that has to succeed.
func (c Account) Must(operation string, in map[string]any) map[string]any {
	ginkgo.GinkgoHelper()
	out, code := c.Call(operation, in)
	gomega.Expect(code).To(gomega.BeEmpty(), "%s as %s", operation, c.key)
	return out
}

func send(request *http.Request) (status int, answer []byte) {
	ginkgo.GinkgoHelper()
	response, err := http.DefaultClient.Do(request)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return response.StatusCode, answer
}
