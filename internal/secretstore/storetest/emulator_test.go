package storetest_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/secretstore/storetest"
)

const region = "eu-central-1"

// store is the real adapter on whatever serves at address.
func store(t *testing.T, address string) *aws.Adapter {
	t.Helper()
	adapter, err := aws.New(t.Context(), aws.Options{
		Region:          region,
		EndpointURL:     address,
		Credentials:     &aws.StaticCredentials{AccessKeyID: "contract", SecretAccessKey: "not-checked"},
		WritesPerSecond: 10_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return adapter
}

func TestEmulatorKeepsTheContract(t *testing.T) {
	e := emulator.New(emulator.Options{Region: region, ForceDeleteDelay: 5 * time.Second})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	set := func(t *testing.T, id string, state emulator.State) {
		if err := e.SetState(id, state); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("REPORT:", storetest.Run(t, storetest.Harness{
		Store:    store(t, server.URL),
		Name:     "the emulator",
		Prefix:   "contract/",
		KMSKeyID: "alias/contract",
		Sleep:    e.Advance,
		Patience: time.Minute,
		OwnedBy: func(t *testing.T, id, service string) {
			set(t, id, emulator.State{OwningService: &service})
			t.Cleanup(func() { none := ""; set(t, id, emulator.State{OwningService: &none}) })
		},
		ReplicaOf: func(t *testing.T, id, primary string) {
			set(t, id, emulator.State{PrimaryRegion: &primary})
			t.Cleanup(func() { none := ""; set(t, id, emulator.State{PrimaryRegion: &none}) })
		},
	}))
}
