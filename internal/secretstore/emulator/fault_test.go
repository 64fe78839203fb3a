package emulator_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func TestFaultsStrikeWhatTheyNameAsOftenAsTheySay(t *testing.T) {
	describe := func(secret string) func(*client) string {
		return func(c *client) string { return c.code("DescribeSecret", fields{"SecretId": secret}) }
	}
	for name, c := range map[string]struct {
		fault emulator.Fault
		calls []func(*client) string
		want  []string
	}{
		"a count": {
			emulator.Fault{Kind: emulator.FaultThrottle, Count: 2},
			[]func(*client) string{describe("a"), describe("a"), describe("a")},
			[]string{"ThrottlingException", "ThrottlingException", ""},
		},
		"no count": {
			emulator.Fault{Kind: emulator.FaultDeny},
			[]func(*client) string{describe("a"), describe("a")},
			[]string{"AccessDeniedException", "AccessDeniedException"},
		},
		"the first pass": {
			emulator.Fault{Kind: emulator.FaultInternal, Skip: 1, Count: 1},
			[]func(*client) string{describe("a"), describe("a"), describe("a")},
			[]string{"", "InternalServiceError", ""},
		},
		"one secret": {
			emulator.Fault{Kind: emulator.FaultUnavailable, Secret: "b*"},
			[]func(*client) string{describe("a"), describe("b/c")},
			[]string{"", "ServiceUnavailable"},
		},
		"one operation": {
			emulator.Fault{Kind: emulator.FaultError, Code: "DecryptionFailure", Operations: []string{"GetSecretValue"}},
			[]func(*client) string{describe("a"), func(c *client) string { return c.code("GetSecretValue", fields{"SecretId": "a"}) }},
			[]string{"", "DecryptionFailure"},
		},
		"one principal": {
			emulator.Fault{Kind: emulator.FaultDeny, Principal: "*:user/bob"},
			[]func(*client) string{describe("a"), func(c *client) string { return describe("a")(c.as("bob")) }},
			[]string{"", "AccessDeniedException"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, emulator.Options{})
			for _, secret := range []string{"a", "b/c"} {
				client.must("CreateSecret", fields{"Name": secret, "SecretString": "v"})
			}
			client.emulator.Inject(c.fault)
			var got []string
			for _, call := range c.calls {
				got = append(got, call(client))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("answered %q, want %q", got, c.want)
			}
		})
	}
}

func TestAQuotaStrikesWhatIsAboveItInEachSecond(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	client := newClient(t, emulator.Options{Clock: func() time.Time { return noon }})
	client.must("CreateSecret", fields{"Name": "a", "SecretString": "v"})
	client.emulator.Inject(emulator.Fault{Kind: emulator.FaultThrottle, Operations: []string{"DescribeSecret"}, PerSecond: 2})
	for second := range 2 {
		for call, want := range []string{"", "", "ThrottlingException", "ThrottlingException"} {
			if got := client.code("DescribeSecret", fields{"SecretId": "a"}); got != want {
				t.Errorf("call %d of second %d answered %q, want %q", call, second, got, want)
			}
		}
		client.emulator.Advance(time.Second)
	}
	if got := client.code("GetSecretValue", fields{"SecretId": "a"}); got != "" {
		t.Errorf("another operation answered %q", got)
	}
}

func TestACutConnectionLosesTheCallOrItsAnswer(t *testing.T) {
	for kind, tookEffect := range map[emulator.FaultKind]bool{emulator.FaultDrop: false, emulator.FaultLose: true} {
		t.Run(string(kind), func(t *testing.T) {
			client := newClient(t, emulator.Options{})
			client.emulator.Inject(emulator.Fault{Kind: kind, Count: 1})
			response, err := client.request("CreateSecret", client.withToken("CreateSecret", fields{"Name": "n", "SecretString": "v"}))
			if err == nil {
				_ = response.Body.Close()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("the client saw %v", err)
			}
			if got := len(client.emulator.Secrets()) == 1; got != tookEffect {
				t.Errorf("the call took effect: %v", got)
			}
			if left := client.emulator.Faults(); len(left) != 0 {
				t.Errorf("faults left: %v", left)
			}
			if calls := client.emulator.Calls(); len(calls) != 1 || calls[0].Fault != kind {
				t.Errorf("the log says %+v", calls)
			}
		})
	}
}

func TestAStaleAnswerIsOlderThanTheLastChanges(t *testing.T) {
	client := newClient(t, emulator.Options{})
	first := client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})["VersionId"].(string)
	id := uuid.NewString()
	client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": "w", "ClientRequestToken": id, "VersionStages": []string{"l"}})
	client.must("UpdateSecretVersionStage", fields{"SecretId": "n", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": first, "MoveToVersionId": id})
	client.must("GetSecretValue", fields{"SecretId": "n"}) // no change

	for changes, want := range map[int]string{
		1: fmt.Sprint(fields{first: []any{"AWSCURRENT"}, id: []any{"l"}}),
		2: fmt.Sprint(fields{first: []any{"AWSCURRENT"}}),
	} {
		remove := client.emulator.Inject(emulator.Fault{Kind: emulator.FaultStale, ChangesAgo: changes})
		if got := fmt.Sprint(client.must("DescribeSecret", fields{"SecretId": "n"})["VersionIdsToStages"]); got != want {
			t.Errorf("%d changes ago it was %s, want %s", changes, got, want)
		}
		remove()
	}
	client.emulator.Inject(emulator.Fault{Kind: emulator.FaultStale, ChangesAgo: 3, Count: 2})
	if code := client.code("DescribeSecret", fields{"SecretId": "n"}); code != "ResourceNotFoundException" {
		t.Errorf("before it was made, it answers %q", code)
	}
	if names, _ := client.list(fields{}); names != nil {
		t.Errorf("before it was made, it is listed: %v", names)
	}
	if got := client.must("GetSecretValue", fields{"SecretId": "n"})["SecretString"]; got != "w" {
		t.Error("the state itself is changed")
	}
}

func TestAStaleAnswerIsOfAnAge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	client := newClient(t, emulator.Options{Clock: func() time.Time { return now }})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
	now = now.Add(time.Minute)
	client.must("TagResource", fields{"SecretId": "n", "Tags": tags("a", "b")})
	now = now.Add(10 * time.Second)
	for age, want := range map[time.Duration]bool{10 * time.Second: true, 11 * time.Second: false} {
		remove := client.emulator.Inject(emulator.Fault{Kind: emulator.FaultStale, Age: age})
		if _, got := client.must("DescribeSecret", fields{"SecretId": "n"})["Tags"]; got != want {
			t.Errorf("%v ago it had tags: %v", age, got)
		}
		remove()
	}
	client.emulator.Inject(emulator.Fault{Kind: emulator.FaultStale, Age: time.Hour, Count: 1})
	if code := client.code("DescribeSecret", fields{"SecretId": "n"}); code != "ResourceNotFoundException" {
		t.Errorf("before it was made, it answers %q", code)
	}
}

func TestWhatWasLiveIsOnRecord(t *testing.T) {
	client := newClient(t, emulator.Options{})
	first := client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})["VersionId"].(string)
	second, third := uuid.NewString(), uuid.NewString()
	client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": "w", "ClientRequestToken": second, "VersionStages": []string{"l"}})
	client.must("PutSecretValue", fields{"SecretId": "n", "SecretString": "x", "ClientRequestToken": third})
	client.must("UpdateSecretVersionStage", fields{"SecretId": "n", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": third, "MoveToVersionId": first})
	if got, want := client.emulator.Secrets()[0].Currents, []string{first, third, first}; !slices.Equal(got, want) {
		t.Errorf("live were %q, want %q", got, want)
	}
}

func TestADelayGoesOnToOtherFaults(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.emulator.Inject(emulator.Fault{Kind: emulator.FaultDelay, Delay: 20 * time.Millisecond, Count: 1})
	client.emulator.Inject(emulator.Fault{Kind: emulator.FaultThrottle, Count: 1})
	start := time.Now()
	if code := client.code("ListSecrets", fields{}); code != "ThrottlingException" {
		t.Errorf("answered %q", code)
	}
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestHooksSeeCallsAndMayCallBack(t *testing.T) {
	client := newClient(t, emulator.Options{})
	var before, after []string
	client.emulator.SetHooks(
		func(c emulator.Call) {
			before = append(before, c.Operation+c.Code)
			if c.Operation == "GetSecretValue" {
				client.emulator.SetHooks(nil, nil)
				client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
			}
		},
		func(c emulator.Call) { after = append(after, c.Operation+c.Code) },
	)
	client.code("DescribeSecret", fields{"SecretId": "n"})
	if got := client.must("GetSecretValue", fields{"SecretId": "n"})["SecretString"]; got != "v" {
		t.Errorf("read %v", got)
	}
	if fmt.Sprint(before) != "[DescribeSecret GetSecretValue]" || fmt.Sprint(after) != "[DescribeSecretResourceNotFoundException]" {
		t.Errorf("before %v, after %v", before, after)
	}
}
