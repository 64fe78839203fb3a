package reading

import (
	"errors"
	"fmt"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/test/dev/stack"
	"github.com/secretreview/secretreview/test/python"
)

var _ = Describe("What is live", Ordered, func() {
	first := map[string]string{
		"DATABASE_URL":  "postgres://backend:first-password@db.production.internal:5432/backend",
		"LOG_LEVEL":     "info",
		"PAYMENT_TOKEN": "first-payment-token",
	}
	second := map[string]string{"DATABASE_URL": first["DATABASE_URL"], "PAYMENT_TOKEN": "second-payment-token", "NEW_KEY": "new value"}
	var change string

	everybodySees := func(live map[string]string) {
		GinkgoHelper()
		for name, one := range readers() {
			Eventually(one.read).Should(Equal(one.sees(live)), name)
		}
	}
	approve := func(name string) {
		GinkgoHelper()
		run(stack.Bob, "sr", "approve", name, "--yes")
		run(stack.Carol, "sr", "approve", name, "--yes", "--timeout=2m")
	}
	// refreshed waits until External Secrets Operator has asked AWS once more.
	refreshed := func() {
		GinkgoHelper()
		before := len(calls())
		Eventually(func() int { return len(calls()) }).Should(BeNumerically(">=", before+4), "the operator does not read any more")
	}

	It("is read by all", func() {
		if !python.Installed() {
			fmt.Println("REPORT: the examples for Lambda were left out, because there is no python3")
		}
		everybodySees(first)
	})

	It("is read key by key, for as long as the key is there", func() {
		applyChanged("some-keys.yaml", "log-level", map[string]any{"data": []any{map[string]any{
			"secretKey": "level", "remoteRef": map[string]any{"key": live, "property": "LOG_LEVEL"},
		}}})
		Eventually(kubernetesSecret("log-level")).Should(Equal(map[string]string{"level": "info"}))
	})

	It("stays as it is while a change is pending", func() {
		change = proposed(run(stack.Alice, "sr", "propose", "-p", stack.Project, "-e", environment, "-r", "Rotate the token",
			"--set", "PAYMENT_TOKEN="+second["PAYMENT_TOKEN"], "--set", "NEW_KEY="+second["NEW_KEY"], "--unset", "LOG_LEVEL"))
		kubectl("wait", "--for=jsonpath={.status.phase}=Pending", "secretchange", change, "--timeout=2m")
		refreshed()
		everybodySees(first)
	})

	It("is not to be had before, from where it is staged", func(ctx SpecContext) {
		staged := naming.StagedSecret(naming.DefaultPrefix, stack.Project, change)
		store, err := s.Store(ctx, reader)
		Expect(err).NotTo(HaveOccurred())
		_, err = store.Get(ctx, secretstore.GetInput{ID: staged})
		var refused *secretstore.Error
		Expect(errors.As(err, &refused)).To(BeTrue(), "%v", err)
		Expect(refused.Kind).To(Equal(secretstore.KindDenied))

		By("asking External Secrets Operator for it")
		before := len(calls())
		applyChanged("all-keys.yaml", "greedy", map[string]any{"dataFrom": []any{map[string]any{"extract": map[string]any{"key": staged}}}})
		DeferCleanup(func() { kubectl("delete", "externalsecret", "greedy") })
		kubectl("wait", "--for=condition=Ready=False", "externalsecret", "greedy", "--timeout=2m")
		Expect(calls()[before:]).To(ContainElement(And(HaveField("Secret", staged), HaveField("Code", "AccessDeniedException"))))
		Expect(kubernetesSecret("greedy")()).To(BeEmpty())
	})

	It("is another once a change is approved", func() {
		approve(change)
		everybodySees(second)

		By("telling who names a key that is gone, and leaving the old value there")
		kubectl("wait", "--for=condition=Ready=False", "externalsecret", "log-level", "--timeout=2m")
		Expect(kubernetesSecret("log-level")()).To(Equal(map[string]string{"level": "info"}))
	})

	It("is what it was after a rollback", func() {
		approve(proposed(run(stack.Alice, "sr", "rollback", change, "-r", "It broke payments", "--yes", "--no-wait")))
		everybodySees(first)
		kubectl("wait", "--for=condition=Ready", "externalsecret", "log-level", "--timeout=2m")
	})

	It("is read by the secret's name or ARN, and by no version's id or label but AWSCURRENT", func() {
		made := calls()
		Expect(made).NotTo(BeEmpty())
		for _, call := range made {
			Expect(call.Operation).To(Equal("GetSecretValue"))
			Expect(call.VersionID).To(BeEmpty())
			Expect(call.Labels).To(Or(BeEmpty(), ConsistOf(secretstore.LabelCurrent)))
			if call.Code == "" {
				Expect(call.Secret).To(Equal(live))
			}
		}
	})
})

// proposed returns the name of the change that a command has created.
func proposed(printed string) string {
	GinkgoHelper()
	found := regexp.MustCompile(`(?m)^Proposed (\S+)$`).FindStringSubmatch(printed)
	Expect(found).To(HaveLen(2), printed)
	return found[1]
}
