package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/audit"
	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/test/suite"
)

var env *clitest.Env

func TestAudit(t *testing.T) { suite.Run(t, "sr audit") }

var _ = BeforeSuite(func() { env = clitest.Start(GinkgoTB()) })

// keeper ends changes as the controller would.
type keeper struct {
	*clitest.Scene
	heads audit.Heads
	at    time.Time
}

func (k *keeper) propose(name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	k.at = k.at.Add(time.Second)
	c := &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: k.Namespace},
		Spec: v1alpha1.SecretChangeSpec{
			Project: clitest.Project, Environment: clitest.Production, Reason: "because of \x1b[31m" + name, ProposedBy: clitest.Alice,
			Staged: &v1alpha1.StagedSource{
				SecretARN: "arn:aws:secretsmanager:us-east-1:123456789012:secret:secret-review/pending/backend-api/" + name + "-AbCdEf",
				VersionID: "11111111-1111-4111-8111-111111111111", Digest: "sha256:" + strings.Repeat("0", 64),
			},
		},
	}
	config := k.Cluster.AdminConfig()
	config.Impersonate.UserName = clitest.Alice
	asAlice, err := client.New(config, client.Options{Scheme: k.Admin.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	Expect(asAlice.Create(GinkgoT().Context(), c)).To(Succeed())
	return c
}

func (k *keeper) finish(c *v1alpha1.SecretChange, status v1alpha1.SecretChangeStatus) *v1alpha1.SecretChange {
	GinkgoHelper()
	at := metav1.NewMicroTime(k.at)
	status.FinishedAt, status.Message = &at, "It ended"
	c.Status = status
	status.Audit = k.heads.Seal(c)
	k.SetStatus(c, status)
	k.heads = k.heads.With(c)
	return c
}

func (k *keeper) reject(name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	return k.finish(k.propose(name), v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseRejected})
}

func (k *keeper) apply(name string) *v1alpha1.SecretChange {
	GinkgoHelper()
	c := k.propose(name)
	attempt := &v1alpha1.Attempt{CurrentVersionID: k.Live(), Commitment: k.heads.Commit("nonce of "+name, []string{clitest.Bob})}
	attempt.VersionID = audit.VersionID(c.UID, c, attempt, nil)
	Expect(k.Store.Put(GinkgoT().Context(), secretstore.PutInput{
		ID: k.LiveName(), VersionID: attempt.VersionID, Value: clitest.Encode(GinkgoTB(), map[string]string{"A": name}),
		Labels: []string{secretstore.LabelCurrent, naming.VersionLabel(string(c.UID))},
	})).To(Succeed())
	return k.finish(c, v1alpha1.SecretChangeStatus{Phase: v1alpha1.PhaseApplied, Attempt: attempt, AppliedVersionID: attempt.VersionID})
}

var _ = Describe("audit", func() {
	var k *keeper
	var alice *clitest.Session
	selection := []string{"-p", clitest.Project, "-e", clitest.Production}

	BeforeEach(func() {
		k = &keeper{Scene: env.NewScene(GinkgoTB(), map[string]string{"A": "1"}), at: time.Now().UTC()}
		alice = k.As(clitest.Alice)
		for n := range 3 {
			k.apply(fmt.Sprintf("applied-%d", n))
			k.reject(fmt.Sprintf("rejected-%d", n))
		}
	})

	run := func(args ...string) clitest.Result {
		return alice.Run(append(append([]string{"audit"}, args...), selection...)...)
	}

	Describe("verify", func() {
		It("says that an untouched history holds, by one call to AWS", func() {
			k.Emulator.ResetCalls()
			result := run("verify")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(MatchRegexp(`(?m)backend-api +production +1-3 +1-3 +3 +holds$`))
			Expect(k.Operations()).To(Equal([]string{"DescribeSecret"}))
		})

		It("names the first break first, and exits with 3", func() {
			c := k.apply("altered")
			k.apply("last")
			c.Status.PreviousVersionID = "somewhere else"
			k.SetStatus(c, c.Status)
			result := run("verify")
			Expect(result.Code).To(Equal(exit.Refused))
			Expect(result.Out).To(MatchRegexp(`production +1-5 .* broken\nbackend-api/production: broken at record 4 of the chain Live: the record of change "altered"`))
		})

		It("finds the newest record gone by what AWS has", func() {
			c := k.apply("hidden")
			Expect(k.Admin.Delete(GinkgoT().Context(), c)).To(Succeed())
			result := run("verify", "-o", "json")
			Expect(result.Code).To(Equal(exit.Refused))
			var reports []audit.Report
			Expect(json.Unmarshal([]byte(result.Out), &reports)).To(Succeed())
			Expect(reports).To(HaveLen(1))
			Expect(reports[0].Breaks).To(ConsistOf(And(HaveField("Kind", audit.Missing), HaveField("Message", ContainSubstring(string(c.UID))))))
			Expect(run("verify", "--offline").Code).To(Equal(exit.OK), "the cluster alone cannot know")
		})

		It("finds a label in AWS on a version that the change did not write", func() {
			c := k.apply("relabelled")
			forged := k.SetLive(map[string]string{"A": "forged"})
			Expect(k.Store.MoveLabel(GinkgoT().Context(), secretstore.MoveLabelInput{
				ID: k.LiveName(), Label: naming.VersionLabel(string(c.UID)), From: c.Status.AppliedVersionID, To: forged})).To(Succeed())
			Expect(run("verify").Out).To(ContainSubstring(fmt.Sprintf("AWS has version %s of change %q, whose record gives %s", forged, c.Name, c.Status.AppliedVersionID)))
		})

		It("looks at an environment without any change, too", func() {
			for _, c := range k.Changes() {
				Expect(k.Admin.Delete(GinkgoT().Context(), &c)).To(Succeed())
			}
			result := run("verify")
			Expect(result.Code).To(Equal(exit.Refused))
			Expect(strings.Count(result.Out, "of which there is no record")).To(Equal(3))
		})

		It("does not ask AWS where it is told so", func() {
			k.Emulator.ResetCalls()
			result := run("verify", "--offline")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(ContainSubstring("not asked"))
			Expect(k.Operations()).To(BeEmpty())
		})

		It("says what to do where AWS cannot be asked", func() {
			k.Emulator.Inject(emulator.Fault{Kind: emulator.FaultDeny})
			result := run("verify")
			Expect(result.Code).To(Equal(exit.Denied))
			Expect(result.Err).To(ContainSubstring("--offline"))
		})

		It("proves what is trimmed by what was exported", func() {
			exported := run("export")
			Expect(exported.Code).To(Equal(exit.OK), exported.Err)
			Expect(os.WriteFile(filepath.Join(alice.Dir, "history.jsonl"), []byte(exported.Out), 0o600)).To(Succeed())
			for _, c := range k.Changes() {
				if strings.HasSuffix(c.Name, "-0") || c.Name == "rejected-1" {
					Expect(k.Admin.Delete(GinkgoT().Context(), &c)).To(Succeed())
				}
			}
			result := run("verify", "--offline")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			Expect(result.Out).To(And(MatchRegexp(`production +2-3 +3 `), ContainSubstring("note: 1 record of what became live came before, and are trimmed")))
			result = run("verify", "--export", "history.jsonl")
			Expect(result.Code).To(Equal(exit.OK), result.Out+result.Err)
			Expect(result.Out).To(MatchRegexp(`production +1-3 +1-3 +3 +holds`))
		})

		It("refuses a file that is no export", func() {
			Expect(os.WriteFile(filepath.Join(alice.Dir, "other.jsonl"), []byte(`{"a":1}`), 0o600)).To(Succeed())
			Expect(run("verify", "--export", "other.jsonl").Err).To(ContainSubstring(`record 1 of "other.jsonl" is none`))
			Expect(run("verify", "--export", "missing.jsonl").Err).To(ContainSubstring("there is no file"))
			Expect(run("verify", "-o", "yaml").Code).To(Equal(exit.Usage))
		})
	})

	Describe("export", func() {
		It("writes a line for each record, the oldest first, whose digest anybody can work out", func() {
			result := run("export")
			Expect(result.Code).To(Equal(exit.OK), result.Err)
			lines := strings.Split(strings.TrimSuffix(result.Out, "\n"), "\n")
			Expect(lines).To(HaveLen(6))
			Expect(result.Out).NotTo(ContainSubstring("\x1b"))
			for n, text := range lines {
				var line struct {
					Digest string          `json:"digest"`
					Record json.RawMessage `json:"record"`
				}
				Expect(json.Unmarshal([]byte(text), &line)).To(Succeed())
				// What is written here is in the order of RFC 8785 once its keys are sorted.
				var record map[string]any
				decoder := json.NewDecoder(bytes.NewReader(line.Record))
				decoder.UseNumber()
				Expect(decoder.Decode(&record)).To(Succeed())
				var sorted bytes.Buffer
				encoder := json.NewEncoder(&sorted)
				encoder.SetEscapeHTML(false)
				Expect(encoder.Encode(record)).To(Succeed())
				Expect(fmt.Sprintf("sha256:%x", sha256.Sum256(bytes.TrimSuffix(sorted.Bytes(), []byte("\n"))))).To(Equal(line.Digest))
				Expect(record["name"]).To(Equal([]string{"applied-0", "rejected-0", "applied-1", "rejected-1", "applied-2", "rejected-2"}[n]))
			}
		})

		It("writes only what ended lately, if asked to", func() {
			k.at = k.at.Add(-48 * time.Hour)
			k.reject("long-ago")
			Expect(run("export").Out).To(ContainSubstring("long-ago"))
			Expect(run("export", "--since", "24h").Out).NotTo(ContainSubstring("long-ago"))
			Expect(run("export", "--since", "-1h").Code).To(Equal(exit.Usage))
		})
	})
})
