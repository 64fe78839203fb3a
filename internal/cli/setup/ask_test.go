package setup

import "testing"

func TestChoice(t *testing.T) {
	options := []string{"dev", "production", "1"}
	for answer, want := range map[string]string{
		"dev": "dev", "2": "production", "3": "1", "1": "1", "0": "", "4": "", "-1": "", "Dev": "", "": "", "prod": "",
	} {
		got, ok := choice(options, answer)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", answer, got, ok)
		}
	}
}
