package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/naming"
)

const (
	// perRequest is how many objects one transaction of etcd writes; it takes 128 operations.
	perRequest = 120
	// perEnvironment is how many finished changes an environment has: what historyLimit keeps, in the default.
	perEnvironment = 500
)

// store speaks to etcd's JSON gateway: 100,000 objects are there in a minute, where the API server, which each of them asks
// for several writes, would take an hour.
type store struct {
	url    string
	client *http.Client
}

func (s *site) etcd() (*store, error) {
	url, config, err := s.cluster.Etcd()
	if err != nil {
		return nil, err
	}
	return &store{url, &http.Client{Transport: &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: workers}}}, nil
}

func (e *store) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"/v3/kv/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answers %s: %s", response.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func keyOf(name string) string {
	return "/registry/secretreview.dev/secretchanges/" + namespace + "/" + name
}

// get returns an object as it is stored.
func (e *store) get(ctx context.Context, name string) (map[string]any, error) {
	var found struct {
		KVs []struct {
			Value []byte `json:"value"`
		} `json:"kvs"`
	}
	if err := e.call(ctx, "range", map[string]any{"key": encoded(keyOf(name))}, &found); err != nil {
		return nil, err
	}
	if len(found.KVs) != 1 {
		return nil, fmt.Errorf("etcd has %d objects of the name %s", len(found.KVs), name)
	}
	var object map[string]any
	return object, json.Unmarshal(found.KVs[0].Value, &object)
}

// put writes objects by their names.
func (e *store) put(ctx context.Context, objects map[string]map[string]any) error {
	var operations []map[string]any
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		value, err := json.Marshal(objects[name])
		if err != nil {
			return err
		}
		operations = append(operations, map[string]any{"requestPut": map[string]any{
			"key": encoded(keyOf(name)), "value": base64.StdEncoding.EncodeToString(value),
		}})
	}
	var answer map[string]any
	return e.call(ctx, "txn", map[string]any{"success": operations}, &answer)
}

// past writes finished changes of an environment, after the likeness of one that has really been applied and one that was
// really rejected, by turns. The last that was applied has written what is live.
func (e *store) past(ctx context.Context, env environment, number, count int, likeness [2]map[string]any) error {
	began := time.Now().Add(-time.Duration(count+1) * time.Minute).UTC()
	objects, previous := map[string]map[string]any{}, uuid.NewString()
	for i := range count {
		name, at := pastName(number, i), began.Add(time.Duration(i)*time.Minute)
		applied := i%2 == 1
		c := clone(likeness[i%2])
		metadata, spec, status := c["metadata"].(map[string]any), c["spec"].(map[string]any), c["status"].(map[string]any)
		metadata["name"], metadata["uid"], metadata["creationTimestamp"] = name, uuid.NewString(), at.Format(time.RFC3339)
		spec["project"], spec["environment"] = env.project, env.name
		staged := spec["staged"].(map[string]any)
		staged["secretARN"] = "arn:aws:secretsmanager:" + region + ":123456789012:secret:" +
			naming.StagedSecret(naming.DefaultPrefix, env.project, name) + "-AbCdEf"
		staged["versionID"] = uuid.NewString()
		moment := at.Format("2006-01-02T15:04:05.000000Z07:00")
		for _, field := range []string{"decidedAt", "finishedAt"} {
			status[field] = moment
		}
		if applied {
			version := uuid.NewString()
			if i >= count-2 {
				version = env.version
			}
			status["appliedAt"], status["appliedVersionID"], status["previousVersionID"] = moment, version, previous
			previous = version
		}
		objects[name] = c
		if len(objects) == perRequest || i == count-1 {
			if err := e.put(ctx, objects); err != nil {
				return err
			}
			clear(objects)
		}
	}
	return nil
}

// pastName is the name of one of the finished changes of an environment.
func pastName(environment, number int) string {
	return fmt.Sprintf("past-%04d-%04d", environment, number)
}

// clone copies an object deeply.
func clone(object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for key, value := range object {
		if inner, ok := value.(map[string]any); ok {
			value = clone(inner)
		}
		out[key] = value
	}
	return out
}
