package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/secretreview/secretreview/internal/secretstore"
)

func pod(name string) (string, bool) {
	if name == "POD_NAMESPACE" {
		return "system", true
	}
	return "", false
}

func parse(t *testing.T, environment func(string) (string, bool), args ...string) *options {
	t.Helper()
	o := defaults(environment)
	flags := pflag.NewFlagSet("manager", pflag.ContinueOnError)
	o.bind(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRefusesToStartWithOneSentence(t *testing.T) {
	cases := map[string]struct {
		args []string
		says string
	}{
		"a name is enough":                         {args: []string{"--cluster-name=blue"}},
		"without a name":                           {says: "--cluster-name is required"},
		"with a name that no tag can hold":         {args: []string{"--cluster-name=blau & grün"}, says: "--cluster-name may hold"},
		"with a name that is a path":               {args: []string{"--cluster-name=/blue"}, says: "--cluster-name may hold"},
		"an EKS cluster's ARN is a name":           {args: []string{"--cluster-name=arn:aws:eks:eu-west-1:123456789012:cluster/blue"}},
		"with a name that leaves no room":          {args: []string{"--cluster-name=" + strings.Repeat("b", 193)}, says: "over 192"},
		"with a prefix that does not end":          {args: []string{"--cluster-name=blue", "--prefix=team"}, says: "--prefix may hold"},
		"without a prefix":                         {args: []string{"--cluster-name=blue", "--prefix="}, says: "--prefix may hold"},
		"with a prefix that is a slash":            {args: []string{"--cluster-name=blue", "--prefix=/"}, says: "--prefix may hold"},
		"a prefix may have parts":                  {args: []string{"--cluster-name=blue", "--prefix=/org/secret-review/"}},
		"with a prefix that leaves no room":        {args: []string{"--cluster-name=blue", "--prefix=" + strings.Repeat("p", 200) + "/"}, says: "--prefix has over"},
		"with an interval that floods AWS":         {args: []string{"--cluster-name=blue", "--sweep-interval=1ms"}, says: "--sweep-interval"},
		"with a negative grace":                    {args: []string{"--cluster-name=blue", "--sweep-grace=-1s"}, says: "--sweep-grace"},
		"with a negative patience for staging":     {args: []string{"--cluster-name=blue", "--consistency-grace=-1s"}, says: "--consistency-grace"},
		"with a negative patience for projects":    {args: []string{"--cluster-name=blue", "--project-grace=-1s"}, says: "--project-grace"},
		"with nobody to do the work":               {args: []string{"--cluster-name=blue", "--concurrency=0"}, says: "--concurrency"},
		"with a lease that ends before it renews":  {args: []string{"--cluster-name=blue", "--lease-duration=5s"}, says: "--lease-duration"},
		"with profiles that others could read":     {args: []string{"--cluster-name=blue", "--pprof-bind-address=:6060"}, says: "--pprof-bind-address"},
		"with profiles at a name":                  {args: []string{"--cluster-name=blue", "--pprof-bind-address=localhost:6060"}, says: "--pprof-bind-address"},
		"with profiles on this machine":            {args: []string{"--cluster-name=blue", "--pprof-bind-address=127.0.0.1:6060"}},
		"with an account that is none":             {args: []string{"--cluster-name=blue", "--aws-account=123"}, says: "--aws-account"},
		"with no writes at all":                    {args: []string{"--cluster-name=blue", "--aws-writes-per-second=0"}, says: "--aws-writes-per-second"},
		"with more workers than writes":            {args: []string{"--cluster-name=blue", "--aws-writes-per-second=1", "--concurrency=11"}, says: "too low for --concurrency"},
		"with no attempt at all":                   {args: []string{"--cluster-name=blue", "--aws-max-attempts=0"}, says: "--aws-max-attempts"},
		"with no time for an answer":               {args: []string{"--cluster-name=blue", "--aws-request-timeout=0"}, says: "--aws-request-timeout"},
		"with a log format that nobody knows":      {args: []string{"--cluster-name=blue", "--log-format=xml"}, says: "--log-format"},
		"with a log level that nobody knows":       {args: []string{"--cluster-name=blue", "--log-level=loud"}, says: "--log-level"},
		"in a pod that does not say where it runs": {args: []string{"--cluster-name=blue", "--namespace="}, says: "--namespace"},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			err := parse(t, pod, c.args...).validate()
			switch {
			case c.says == "" && err != nil:
				t.Errorf("refuses: %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("says %v, want %q", err, c.says)
			}
		})
	}
}

func TestTheCommandRefusesBeforeItDoesAnything(t *testing.T) {
	c := command(pod)
	c.SetArgs([]string{"--prefix=a/"})
	c.SetOut(io.Discard)
	c.SetErr(io.Discard)
	if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "--cluster-name is required") {
		t.Errorf("got %v", err)
	}
}

func TestListsKeepTheirOrder(t *testing.T) {
	o := parse(t, pod, "--gitops-appliers=b,a", "--gitops-appliers=c", "--require-owner-tag=false")
	if !slices.Equal(o.gitopsAppliers, []string{"b", "a", "c"}) || o.requireOwnerTag {
		t.Errorf("got %v, %v", o.gitopsAppliers, o.requireOwnerTag)
	}
}

func TestThePodTellsItsNamespace(t *testing.T) {
	if o := parse(t, pod); o.namespace != "system" || !o.requireOwnerTag || !o.leaderElect || o.sweepInterval != 5*time.Minute {
		t.Errorf("got %+v", o)
	}
}

type sts struct {
	account string
	kind    secretstore.Kind
}

func (s sts) CallerIdentity(context.Context) (secretstore.Identity, error) {
	if s.kind != "" {
		return secretstore.Identity{}, &secretstore.Error{Kind: s.kind, Op: "GetCallerIdentity", Err: errors.New("why")}
	}
	return secretstore.Identity{Account: s.account}, nil
}

func TestKnowsItsAccount(t *testing.T) {
	cases := map[string]struct {
		sts   sts
		given string
		want  string
		says  string
	}{
		"from STS":                          {sts: sts{account: "123456789012"}, want: "123456789012"},
		"as STS confirms":                   {sts: sts{account: "123456789012"}, given: "123456789012", want: "123456789012"},
		"not another than STS says":         {sts: sts{account: "123456789012"}, given: "210987654321", says: "are those of AWS account 123456789012"},
		"as it is told where STS is not":    {sts: sts{kind: secretstore.KindUnavailable}, given: "123456789012", want: "123456789012"},
		"not at all without STS":            {sts: sts{kind: secretstore.KindUnavailable}, says: "cannot learn which AWS account this is"},
		"not with credentials that are bad": {sts: sts{kind: secretstore.KindCredentials}, given: "123456789012", says: "sign in to AWS again"},
	}
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			got, err := accountOf(t.Context(), c.sts, c.given)
			if got != c.want || (err == nil) != (c.says == "") {
				t.Fatalf("got %q, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v", err)
			}
		})
	}
}
